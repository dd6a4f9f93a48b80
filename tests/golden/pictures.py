# SPDX-License-Identifier: Apache-2.0
"""PNG files of every kind, packed here byte by byte, and their pixels. TensorFlow reads the same from them, up to the
last of 8 bits where a file has 16.
"""
import json
import struct
import zlib

from common import np, tf

HEIGHT, WIDTH = 7, 9
GREY, COLOURS, PALETTE, GREY_ALPHA, COLOURS_ALPHA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, COLOURS: 3, PALETTE: 1, GREY_ALPHA: 2, COLOURS_ALPHA: 4}
PASSES = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(rows, depth):
    """Each row without a filter: a zero byte, then its samples from the highest bit on."""
    out = b""
    for row in rows:
        bits = "".join(f"{sample:0{depth}b}" for sample in row.reshape(-1))
        bits += "0" * (-len(bits) % 8)
        out += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return out


def png(samples, colour_type, depth, interlaced, chunks):
    parts = [samples[y::dy, x::dx] for y, x, dy, dx in PASSES] if interlaced else [samples]
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour_type, 0, 0, int(interlaced))
    data = zlib.compress(b"".join(packed(part, depth) for part in parts))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def to_bytes(samples, depth):
    """The nearest number of 8 bits."""
    return ((samples.astype(np.int64) * 255 * 2 + 2**depth - 1) // (2 * (2**depth - 1))).astype("uint8")


def with_channels(pixels, channels):
    opacity = pixels[..., -1:] if pixels.shape[2] % 2 == 0 else np.full_like(pixels[..., :1], 255)
    colours = pixels[..., :3] if pixels.shape[2] > 2 else np.repeat(pixels[..., :1], 3, axis=2)
    return colours if channels == 3 else np.concatenate([colours, opacity], axis=2)


def case(name, colour_type, depth, interlaced=False, transparent=False):
    rng = np.random.default_rng(depth + 100 * colour_type)
    samples = rng.integers(0, 2**depth, (HEIGHT, WIDTH, SAMPLES[colour_type]))
    chunks, pixels = b"", to_bytes(samples, depth)
    if colour_type == PALETTE:
        colours = rng.integers(0, 256, (2**depth, 3 + transparent)).astype("uint8")
        chunks = chunk(b"PLTE", colours[:, :3].tobytes())
        chunks += chunk(b"tRNS", colours[:, 3].tobytes()) if transparent else b""
        pixels = colours[samples[..., 0]]
    elif transparent:
        chunks = chunk(b"tRNS", b"".join(struct.pack(">H", sample) for sample in samples[3, 4]))
        opacity = 255 * np.any(samples != samples[3, 4], axis=2, keepdims=True)
        pixels = np.concatenate([pixels, opacity.astype("uint8")], axis=2)
    file = png(samples, colour_type, depth, interlaced, chunks)
    for channels in (3, 4) if depth > 4 else (3,):  # TensorFlow's opacity is wrong there
        decoded = tf.io.decode_png(file, channels).numpy().astype(int)
        assert np.abs(decoded - with_channels(pixels, channels)).max() <= (depth == 16), (name, channels)
    return {"name": name, "file": file.hex(), "shape": list(pixels.shape), "pixels": pixels.tobytes().hex()}


def write_pictures(folder):
    cases = [case(f"grey{depth}", GREY, depth) for depth in (1, 2, 4, 8, 16)]
    cases += [case(f"palette{depth}", PALETTE, depth) for depth in (1, 2, 4, 8)]
    cases += [case(f"palette{depth}_transparent", PALETTE, depth, transparent=True) for depth in (2, 4)]
    cases += [case(f"grey{depth}_transparent", GREY, depth, transparent=True) for depth in (2, 8, 16)]
    for depth in (8, 16):
        cases += [case(f"colours{depth}", COLOURS, depth), case(f"grey_alpha{depth}", GREY_ALPHA, depth)]
        cases += [case(f"colours_alpha{depth}", COLOURS_ALPHA, depth)]
        cases += [case(f"colours{depth}_transparent", COLOURS, depth, transparent=True)]
        cases += [case(f"colours{depth}_interlaced", COLOURS, depth, interlaced=True)]
    cases += [case("palette4_interlaced", PALETTE, 4, interlaced=True)]
    (folder / "pictures.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
