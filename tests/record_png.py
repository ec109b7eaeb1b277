#!/usr/bin/env python3
"""Records what PIL makes of pictures: PNG and PPM/PGM files of every kind, sizes changed, colours turned to grey.

    python3 tests/record_png.py        writes tests/recorded/pil-pictures.safetensors

Needs Pillow (9.4.0 was used) and numpy. PIL writes few kinds of PNG and reads some of them in its own way, so the files are written here from their
samples, and their pixels computed from the same; the script stops where PIL reads others, but for the kinds that it says it leaves out.
"""
import io
import json
import os
import struct
import zlib

import numpy
import PIL
from PIL import Image

RANDOM = numpy.random.default_rng(4)
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
tensors, left_out = {}, []


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def filtered(rows, bpp, first):
    """Rows of bytes with the five filters in turn."""
    out, above = b"", bytes(len(rows[0]))
    for y, row in enumerate(rows):
        kind, line = (first + y) % 5, bytearray()
        for i, x in enumerate(row):
            a, b, c = row[i - bpp] if i >= bpp else 0, above[i], above[i - bpp] if i >= bpp else 0
            p = a + b - c
            paeth = min((a, b, c), key=lambda v: abs(p - v))
            line.append((x - [0, a, b, (a + b) // 2, paeth][kind]) % 256)
        out, above = out + bytes([kind]) + bytes(line), row
    return out


def png(samples, kind, depth, interlaced, palette=None, transparent=None, level=9, idats=1):
    """samples: [H, W, channels of the kind]."""
    height, width, channels = samples.shape
    data = b""
    for pas, (x0, y0, dx, dy) in enumerate(ADAM7 if interlaced else [(0, 0, 1, 1)]):
        part = samples[y0::dy, x0::dx]
        if part.size:
            bits = (part.reshape(part.shape[0], -1)[:, :, None] >> numpy.arange(depth - 1, -1, -1)) & 1
            rows = numpy.packbits(bits.reshape(part.shape[0], -1).astype(numpy.uint8), axis=1)
            data += filtered([bytes(r) for r in rows], max(channels * depth // 8, 1), pas)
    data = zlib.compress(data, level)
    cuts = [len(data) * i // idats for i in range(idats + 1)]
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))
    file += chunk(b"tEXt", b"Comment\0a chunk that need not be read")
    if palette is not None:
        file += chunk(b"PLTE", bytes(palette.reshape(-1)))
    if transparent is not None:
        file += chunk(b"tRNS", transparent)
    return file + b"".join(chunk(b"IDAT", data[a:b]) for a, b in zip(cuts, cuts[1:])) + chunk(b"IEND", b"")


def over_white(colour, alpha):
    """Rounded c·a/255 + 255 − a; there are no ties."""
    c, a = colour.astype(int), alpha.astype(int)
    return ((2 * (c * a + 255 * (255 - a)) + 255) // 510).astype(numpy.uint8)


def expected(samples, kind, depth, palette, transparent):
    """The pixels by the standard's definition, the higher 8 of 16 bits."""
    top = samples if kind == 3 else samples >> 8 if depth == 16 else samples * 255 // ((1 << depth) - 1)
    opaque = numpy.full(samples.shape[:2] + (1,), 255)
    if kind == 3:
        alphas = numpy.full(256, 255)
        alphas[: len(transparent or b"")] = list(transparent or b"")
        return over_white(palette[samples[:, :, 0]], alphas[samples])
    if kind in (4, 6):
        return over_white(top[:, :, :-1], top[:, :, -1:])
    if transparent is not None:
        key = numpy.array(struct.unpack(f">{CHANNELS[kind]}H", transparent))
        opaque[(samples == key).all(axis=2)] = 0
    return over_white(top, opaque)


def read_by_pil(file):
    """[H, W, 1 or 3] as PIL has it, over white."""
    image = Image.open(io.BytesIO(file))
    image.load()
    if image.mode == "I":
        return (numpy.asarray(image) >> 8).astype(numpy.uint8)[:, :, None]
    grey = image.mode in ("1", "L", "LA") or file[25] == 4       # it makes RGBA of grey with alpha in 16 bits
    rgba = image.convert("RGBA")
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(rgba, mask=rgba.getchannel("A"))
    pixels = numpy.asarray(white)
    return pixels[:, :, :1] if grey else pixels


def record(name, file, pixels):
    tensors[name + "/file"] = numpy.frombuffer(file, numpy.uint8)
    tensors[name + "/pixels"] = numpy.ascontiguousarray(pixels)


def record_png(name, width, height, kind, depth, interlaced, transparent=False, **how):
    palette, key = None, None
    samples = RANDOM.integers(0, 1 << depth, (height, width, CHANNELS[kind]))
    if depth == 16:
        samples[::2] = samples[:1, :1]      # so that a transparent colour is met more than once, and its neighbours
        samples[1::3] = samples[:1, :1] ^ 1
    if kind == 3:
        palette = RANDOM.integers(0, 256, (min(1 << depth, 200), 3)).astype(numpy.uint8)
        samples %= len(palette)
        key = RANDOM.integers(0, 256, (len(palette) + 1) // 2).astype(numpy.uint8).tobytes() if transparent else None
    elif transparent:
        key = struct.pack(f">{CHANNELS[kind]}H", *samples[height // 2, width // 2])
    file = png(samples, kind, depth, interlaced, palette, key, **how)
    pixels = expected(samples, kind, depth, palette, key)
    # PIL compares a transparent colour of other than 8 bits with one of 8.
    if transparent and kind != 3 and depth != 8:
        left_out.append(name)
    else:
        assert numpy.array_equal(read_by_pil(file), pixels), name
    record(name, file, pixels)


def all_pngs():
    for kind, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items():
        for depth in depths:
            for interlaced in (0, 1):
                for transparent in (False, True) if kind in (0, 2, 3) else (False,):
                    name = f"png/type {kind}, {depth} bits{', interlaced' * interlaced}{', transparent' * transparent}"
                    record_png(name, 19, 13, kind, depth, interlaced, transparent, level=0 if interlaced else 9)
    for width, height in (1, 1), (1, 9), (2, 2), (3, 1), (5, 4), (4, 5), (8, 8), (9, 7), (33, 2):
        record_png(f"png/interlaced {width}×{height}", width, height, 2, 8, 1)
        record_png(f"png/interlaced {width}×{height}, 1 bit", width, height, 0, 1, 1)
    record_png("png/3 IDATs", 19, 13, 6, 8, 0, idats=3)
    record_png("png/20 IDATs", 19, 13, 0, 8, 1, idats=20)

    # Every colour under every alpha.
    colours, alphas = numpy.meshgrid(numpy.arange(256), numpy.arange(256))
    samples = numpy.stack([colours, alphas], axis=2)
    file = png(samples, 4, 8, 0)
    assert numpy.array_equal(read_by_pil(file), over_white(colours, alphas)[:, :, None])
    record("png/all alphas", file, over_white(colours, alphas)[:, :, None])

    # What PIL writes.
    rgba = RANDOM.integers(0, 256, (12, 17, 4)).astype(numpy.uint8)
    for mode in "1", "L", "LA", "P", "RGB", "RGBA":
        out = io.BytesIO()
        Image.fromarray(rgba, "RGBA").convert(mode).save(out, "PNG")
        record(f"png/of PIL, {mode}", out.getvalue(), read_by_pil(out.getvalue()))


def all_netpbms():
    def text(samples):
        return b"\n".join(b" ".join(b"%d" % v for v in row.reshape(-1)) for row in samples) + b"\n"

    for maxval in 1, 15, 255, 256, 1000, 65535:
        for magic in 2, 3, 5, 6:
            samples = RANDOM.integers(0, maxval + 1, (5, 7, 1 if magic in (2, 5) else 3))
            samples.reshape(-1)[:2] = 0, maxval
            body = text(samples) if magic < 4 else samples.astype(">u2" if maxval > 255 else "u1").tobytes()
            file = b"P%d\n# a comment\n7 5 # another\n%d\n" % (magic, maxval) + body
            image = Image.open(io.BytesIO(file))
            pixels = numpy.asarray(image).reshape(samples.shape)
            if image.mode == "I":           # 0 to 65535
                pixels = numpy.rint(samples / maxval * 255)
            record(f"netpbm/P{magic}, maxval {maxval}", file, pixels.astype(numpy.uint8))


def all_resizes():
    sizes = [(7, 5, 23, 17), (64, 48, 20, 15), (64, 48, 32, 24), (33, 29, 1, 1), (1, 1, 9, 7), (40, 30, 61, 10), (30, 40, 10, 61),
             (13, 11, 13, 11), (31, 20, 17, 20), (20, 31, 20, 17), (200, 3, 7, 3), (2, 100, 5, 99), (50, 37, 49, 38)]
    for i, (width, height, to_width, to_height) in enumerate(sizes):
        for channels in 1, 3:
            pixels = RANDOM.integers(0, 256, (height, width, channels)).astype(numpy.uint8)
            if i % 3 == 1:
                pixels = (pixels & 128) // 128 * 255       # black and white
            image = Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)
            name = f"resize/{width}×{height} to {to_width}×{to_height}, {channels}"
            tensors[name + "/from"] = pixels
            tensors[name + "/to"] = numpy.asarray(image.resize((to_width, to_height), Image.Resampling.BILINEAR)).reshape(to_height, to_width, channels)


def all_greys():
    steps = numpy.array([0, 1, 2, 63, 64, 100, 127, 128, 129, 200, 253, 254, 255])
    colours = numpy.stack(numpy.meshgrid(steps, steps, steps), axis=3).reshape(13, -1, 3).astype(numpy.uint8)
    noise = RANDOM.integers(0, 256, (13, 1000, 3)).astype(numpy.uint8)
    tensors["grey/rgb"] = numpy.concatenate([colours, noise], axis=1)
    tensors["grey/grey"] = numpy.asarray(Image.fromarray(tensors["grey/rgb"]).convert("L"))[:, :, None]


def write(path):
    header, at = {"__metadata__": {"recorded with": f"Pillow {PIL.__version__}"}}, 0
    for name, values in tensors.items():
        assert values.dtype == numpy.uint8, name
        header[name] = {"dtype": "U8", "shape": list(values.shape), "data_offsets": [at, at + values.size]}
        at += values.size
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(values.tobytes() for values in tensors.values()))


all_pngs()
all_netpbms()
all_resizes()
all_greys()
write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "recorded", "pil-pictures.safetensors"))
print(f"{len(tensors)} tensors; without PIL's word: {', '.join(left_out)}")
