#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the rules of the house that no compiler knows; CONTRIBUTING.md states them. Exit status 1 when one is broken.

Include direction between and inside the folders, third-party headers kept where they belong and out of public headers,
licence lines, no path of one machine, no file grown too large.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What each folder may include besides itself.
LIBRARIES = {"core": set(), "layers": {"core"}, "distributed": {"core"}, "io": {"core"}}
ALL_LIBRARIES = set(LIBRARIES)
FOLDERS = {
    **LIBRARIES,
    "strata": ALL_LIBRARIES,
    "launcher": ALL_LIBRARIES | {"strata"},
    "examples": ALL_LIBRARIES | {"strata"},
    "benchmarks": ALL_LIBRARIES | {"strata"},
    "tests": ALL_LIBRARIES | {"strata", "launcher"},
}
# Inside core each folder may include those before it.
CORE_ORDER = ["base", "tensor", "ops", "program", "model", "training"]

# A third party's headers, and the only files of the libraries that may include them. No line here: any .cpp may.
THIRD_PARTY = {
    r"mpi\.h$": r"distributed/mpi/",
    r"(dnnl|oneapi/)": r"core/(.*/)?[^/]*onednn[^/]*$",
    r"libxsmm": r"core/ops/xsmm/",
    r"(hdf5|H5)": r"io/hdf5",
    r"png\.h$": r"io/png/",
    r"(jpeglib|jerror)\.h$": r"io/jpeg/",
    r"minizip/": r"io/npz/",
    r"zlib\.h$": r"io/",
    r"boost/(asio|beast)": r"launcher/",
    r"(cuda|cublas|cudnn)": r"(.*/)?cuda/",
    r"nccl": r"distributed/nccl/",
}
# For programs that use MPI themselves: a communicator of theirs has to be named.
PUBLIC_WITH_THIRD_PARTY = {"distributed/mpi/mpi_communicator.h"}

STANDARD = set("""
algorithm any array atomic barrier bit bitset charconv chrono cctype cerrno cfenv cfloat cinttypes climits cmath compare
complex concepts condition_variable coroutine csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime deque
exception execution filesystem forward_list fstream functional future initializer_list iomanip ios iosfwd iostream
istream iterator latch limits list locale map memory memory_resource mutex new numbers numeric optional ostream queue
random ranges ratio regex scoped_allocator semaphore set shared_mutex source_location span sstream stack stdexcept
stop_token streambuf string string_view strstream syncstream system_error thread tuple type_traits typeindex typeinfo
unordered_map unordered_set utility valarray variant vector version
""".split())

MOST_LINES = {"tests": 700, "": 500}  # by top folder; "" for the others
LONG = 300

# CMake writes these into the build tree.
GENERATED = re.compile(r"(.*/list\.inc|layers/layers\.h)$")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
MACHINE_PATH = re.compile(r"""(?<![\w.}/$-])/(work|home|root|Users)/[\w.]""")


def sources():
    names = subprocess.run([ROOT / "tools/sources.sh", "all"], check=True, capture_output=True, text=True).stdout
    return names.splitlines()


def public_headers():
    """The headers that are installed: those StrataInstall.cmake names, and what they include."""
    text = (ROOT / "cmake/StrataInstall.cmake").read_text()
    pending = re.findall(r"[a-z_/]+\.h\b", " ".join(re.findall(r"public_headers ([^)]*)\)", text)))
    pending += [str(h.relative_to(ROOT)) for h in ROOT.glob("layers/*.h") if ": public LayerRef" in h.read_text()]
    seen = set()
    while pending:
        name = pending.pop()
        if name in seen or not (ROOT / name).exists():  # layers/layers.h is generated
            continue
        seen.add(name)
        pending += re.findall(r'#include "([^"]+)"', (ROOT / name).read_text())
    return seen


class Checker:
    def __init__(self):
        self.errors = []
        self.public = public_headers()

    def error(self, name, line, text):
        self.errors.append(f"{name}:{line}: {text}")

    def is_public_header(self, name):
        return name in self.public

    def check_folder(self, name, line, target):
        own, other = name.split("/")[0], target.split("/")[0]
        if own != other and other not in FOLDERS[own]:
            allowed = ", ".join(sorted(FOLDERS[own])) or "nothing else"
            self.error(name, line, f"{own} may include {allowed}; this includes {target}")
        if own == other == "core":
            mine, theirs = name.split("/")[1], target.split("/")[1]
            if theirs not in CORE_ORDER or CORE_ORDER.index(theirs) > CORE_ORDER.index(mine):
                self.error(name, line, f"core's order is {' <- '.join(CORE_ORDER)}; core/{mine} includes {target}")

    def check_quoted(self, name, line, target):
        beside = (pathlib.Path(name).parent / target).as_posix()
        in_folder = f"{name.split('/')[0]}/{target}"
        if (ROOT / target).is_file() or GENERATED.match(target):
            self.check_folder(name, line, target)
        elif not any((ROOT / path).is_file() for path in (beside, in_folder)):
            self.error(name, line, f'"{target}" is not a file of this project: expected its path from the root')
        elif name.split("/")[0] in {*LIBRARIES, "strata"}:
            self.error(name, line, f'"{target}": expected its path from the root')

    def check_angled(self, name, line, target):
        if target in STANDARD:
            return
        if target.startswith("strata/"):
            self.check_folder(name, line, target)
            return
        if self.is_public_header(name) and name not in PUBLIC_WITH_THIRD_PARTY:
            self.error(name, line, f"a public header includes <{target}>, which is not of the C++ standard library")
        if name.split("/")[0] in {*LIBRARIES, "strata", "launcher"}:
            for header, place in THIRD_PARTY.items():
                if re.match(header, target) and not re.match(place, name):
                    self.error(name, line, f"<{target}> may be included only by files that match {place}")

    def check_includes(self, name, lines):
        if name.split("/")[0] not in FOLDERS:
            return
        for number, text in enumerate(lines, 1):
            found = INCLUDE.match(text)
            if found:
                (self.check_quoted if found[1] == '"' else self.check_angled)(name, number, found[2])

    def check_text(self, name, lines):
        code = name.endswith((".cpp", ".h", ".py", ".sh", ".cmake", ".in", ".sbatch", "CMakeLists.txt"))
        if code or lines[:1] and lines[0].startswith("#!"):
            head = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0] if lines else ""
            if "SPDX-License-Identifier: Apache-2.0" not in head:
                self.error(name, 1, "expected an SPDX-License-Identifier line here")
        for number, text in enumerate(lines, 1):
            if MACHINE_PATH.search(text) and not name.endswith("check_rules.py"):
                self.error(name, number, f"a path of one machine: {text.strip()}")
            if "\u2014" in text:
                self.error(name, number, "an em dash")
            if re.search(r"\b(TODO|FIXME)\b", text) and not name.endswith("check_rules.py"):
                self.error(name, number, "unfinished work: finish it or say in words what is not supported")

    def check_size(self, name, lines):
        most = MOST_LINES.get(name.split("/")[0], MOST_LINES[""])
        if name.endswith((".cpp", ".h", ".py", ".sh")) and len(lines) > most:
            self.error(name, len(lines), f"{len(lines)} lines; at most {most}: split it by what it is about")


def report_sizes(sizes):
    code = sorted((count, name) for name, count in sizes.items() if name.endswith((".cpp", ".h")))
    if not code:
        return
    long = [f"{name} ({count})" for count, name in reversed(code) if count > LONG]
    print(f"{len(code)} C++ files, {sum(count for count, _ in code)} lines, median {code[len(code) // 2][0]}; "
          f"over {LONG} lines: {', '.join(long) or 'none'}")


def main():
    checker, sizes = Checker(), {}
    for name in sources():
        if name == "LICENSE" or name.startswith("tests/golden/"):
            continue
        try:
            lines = (ROOT / name).read_text().splitlines()
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        sizes[name] = len(lines)
        if name.endswith((".cpp", ".h")):
            checker.check_includes(name, lines)
        checker.check_text(name, lines)
        checker.check_size(name, lines)
    for error in checker.errors:
        print(error)
    report_sizes(sizes)
    return 1 if checker.errors else 0


if __name__ == "__main__":
    sys.exit(main())
