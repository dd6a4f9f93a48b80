#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Started by srun for each rank: runs the program with one of the node's GPUs, by the rank's place on the node. Slurm's own
# --gpus-per-task would, with cgroups, hide the others so well that NCCL cannot copy from one to the other.
set -euo pipefail
IFS=, read -ra gpus <<<"${CUDA_VISIBLE_DEVICES:?expected the GPUs of the node, from Slurm: --gpus-per-node}"
export CUDA_VISIBLE_DEVICES=${gpus[SLURM_LOCALID]:?"expected no more ranks on a node than GPUs (${#gpus[@]})"}
exec "$@"
