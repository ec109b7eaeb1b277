#!/usr/bin/env python3
"""Records what PIL, that is libjpeg-turbo, makes of JPEG files of every kind that MiniCnn reads.

    python3 tests/record_jpeg.py        writes tests/recorded/pil-jpeg.safetensors

Needs Pillow (9.4.0 on libjpeg-turbo 2.1.5 was used), numpy, and libjpeg-turbo's cjpeg.
"""
import io
import json
import os
import struct
import subprocess
import tempfile

import numpy
import PIL
from PIL import Image, ImageOps

RANDOM = numpy.random.default_rng(8)
FOLDER = tempfile.TemporaryDirectory()
tensors = {}


def image(width, height, channels=3):
    """Slopes, edges and noise, each where it is seen."""
    y, x, c = numpy.meshgrid(numpy.arange(height), numpy.arange(width), numpy.arange(channels), indexing="ij")
    slope = 255 * (x * (c + 1) + y * (3 - c)) / (width * (c + 1) + height * (3 - c))
    edges = numpy.where((x * x + y * y * (c + 1)) // 97 % 3 == 0, 200 - 60 * c, 0)
    noise = numpy.where(y > height * 2 / 3, RANDOM.integers(-40, 41, x.shape), 0)
    pixels = numpy.clip(numpy.where(x > width / 2, edges, slope) + noise, 0, 255).astype(numpy.uint8)
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels, {1: "L", 3: "RGB", 4: "CMYK"}[channels])


def text(name, lines):
    path = os.path.join(FOLDER.name, name)
    with open(path, "w", encoding="ascii") as file:
        file.write(lines)
    return path


def cjpeg(picture, *switches):
    ppm = io.BytesIO()
    picture.save(ppm, "PPM")
    return subprocess.run(["cjpeg", *switches], input=ppm.getvalue(), stdout=subprocess.PIPE, check=True).stdout


def by_pil(picture, **how):
    out = io.BytesIO()
    picture.save(out, "JPEG", **how)
    return out.getvalue()


def segment(marker, content):
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def exif(order, orientation, entries_before=2):
    """An APP1 segment whose directory holds some other entries, then the orientation."""
    entries = b"".join(struct.pack(order + "HHII", 0x100 + i, 4, 1, 7) for i in range(entries_before))
    entries += struct.pack(order + "HHIHH", 0x112, 3, 1, orientation, 0)
    tiff = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return segment(0xE1, b"Exif\0\0" + tiff + struct.pack(order + "H", entries_before + 1) + entries + bytes(4))


def record(name, file):
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    pixels = numpy.asarray(picture.convert("RGB") if picture.mode == "CMYK" else picture)
    tensors[name + "/file"] = numpy.frombuffer(file, numpy.uint8)
    tensors[name + "/pixels"] = pixels.reshape(picture.height, picture.width, -1)


SAMPLINGS = {"grey": ("-grayscale",)} | {
    name: ("-sample", factors)
    for name, factors in {
        "4:4:4": "1x1", "4:2:2": "2x1", "4:4:0": "1x2", "4:2:0": "2x2", "4:1:1": "4x1", "4:1:0": "4x2", "1x4": "1x4", "3x1": "3x1", "2x3": "2x3",
        "mixed": "2x2,1x2,2x1", "chroma larger": "1x1,2x2,1x1", "all 2x2": "2x2,2x2,1x1", "Cb 1x1, Cr 4x1": "4x1,1x1,4x1",
    }.items()
}
COMMON = ["grey", "4:4:4", "4:2:2", "4:4:0", "4:2:0"]
SIZES = [(1, 1), (1, 17), (17, 1), (3, 5), (5, 3), (6, 4), (8, 9), (16, 16), (33, 18)]

for name, switches in SAMPLINGS.items():
    record(f"{name}, 37×23", cjpeg(image(37, 23), *switches))
    record(f"{name}, 37×23, progressive", cjpeg(image(37, 23), *switches, "-progressive"))
    if name in COMMON:
        for width, height in SIZES:
            record(f"{name}, {width}×{height}", cjpeg(image(width, height), *switches, "-quality", "90"))
        for quality in "1", "50", "95", "100":
            record(f"{name}, quality {quality}", cjpeg(image(19, 18), *switches, "-quality", quality))
            record(f"{name}, quality {quality}, progressive", cjpeg(image(19, 18), *switches, "-quality", quality, "-progressive"))
        for interval in "1B", "3B", "1":
            record(f"{name}, restarts {interval}", cjpeg(image(34, 19), *switches, "-restart", interval))
            record(f"{name}, restarts {interval}, progressive", cjpeg(image(34, 19), *switches, "-restart", interval, "-progressive"))
        record(f"{name}, optimised", cjpeg(image(37, 23), *switches, "-optimize"))

# Larger ones: runs of blocks, long codes.
record("4:2:0, 100×75", cjpeg(image(100, 75), "-quality", "85"))
record("4:2:0, 100×75, progressive", cjpeg(image(100, 75), "-quality", "85", "-progressive"))
record("4:4:4, 100×75, progressive, quality 98", cjpeg(image(100, 75), "-quality", "98", "-sample", "1x1", "-progressive"))
record("grey, 160×90, runs", cjpeg(image(160, 90, 1), "-quality", "5", "-progressive"))
record("noise", cjpeg(Image.fromarray(RANDOM.integers(0, 256, (24, 40, 3)).astype(numpy.uint8)), "-quality", "100", "-sample", "1x1"))
record("black and white", cjpeg(Image.fromarray(RANDOM.integers(0, 2, (40, 24)).astype(numpy.uint8) * 255), "-quality", "30"))

# Scans: one component each, two of three together, the finest successive approximation.
apart = text("apart", "0;\n1;\n2;\n")
pairs = text("pairs", "1 2;\n0;\n")
bits = "".join(f"{c}: 1 63 {high} {high - 1};\n" for high in (3, 2, 1) for c in (0, 1, 2))
fine = text("fine", "0 1 2: 0 0 0 2;\n0 1 2: 0 0 2 1;\n" + "".join(f"{c}: 1 5 0 3;\n{c}: 6 63 0 3;\n" for c in (2, 1, 0)) + bits + "0 1 2: 0 0 1 0;\n")
for name in "4:4:4", "4:2:0", "4:4:0", "mixed":
    for scans, path in {"apart": apart, "pairs": pairs, "fine": fine}.items():
        record(f"{name}, scans {scans}", cjpeg(image(35, 21), *SAMPLINGS[name], "-scans", path, "-restart", "2B"))
        record(f"{name}, 5×3, scans {scans}", cjpeg(image(5, 3), *SAMPLINGS[name], "-scans", path))

# Colours by Adobe's segment or the components' names.
plain = image(31, 21)
rgb = cjpeg(plain, "-rgb", "-quality", "90")
adobe = segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, 0))
assert adobe in rgb
record("RGB by Adobe", rgb)
record("RGB by names", rgb.replace(adobe, b""))
record("RGB by names, progressive", cjpeg(plain, "-rgb", "-progressive"))
cmyk = by_pil(image(31, 21, 4), quality=92)
assert adobe in cmyk
record("CMYK", cmyk)
record("CMYK, progressive", by_pil(image(31, 21, 4), quality=92, progressive=True))
record("CMYK without Adobe", cmyk.replace(adobe, b""))
record("YCCK", cmyk.replace(adobe, adobe[:-1] + b"\x02"))
jfif = cjpeg(plain)
assert jfif[2:4] == b"\xFF\xE0"
record("without JFIF", jfif[:2] + jfif[20:])
record("YCbCr by Adobe", jfif[:2] + adobe[:-1] + b"\x01" + jfif[20:])

# Segments of no interest, fill bytes, bytes after the end, tables in 16 bits; what PIL writes.
odd = segment(0xFE, b"a comment \xFF\xD9") + segment(0xE3, b"") + b"\xFF\xFF\xFF" + segment(0xED, bytes(300)) + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0")
record("odd segments", jfif[:20] + odd + jfif[20:])
at = jfif.index(b"\xFF\xDA")
record("fill bytes", jfif[:at] + b"\xFF" * 5 + jfif[at:-2] + b"\xFF" * 7 + jfif[-2:])
record("bytes after the end", jfif + b"\xFF\xD8 and more")
record("restarts after fill bytes", (lambda f: f.replace(b"\xFF\xD0", b"\xFF\xFF\xFF\xD0"))(cjpeg(plain, "-restart", "2B")))
wide = text("wide", " ".join(str(200 + 7 * i) for i in range(64)) + "\n" + " ".join(str(16 + 9 * i) for i in range(64)) + "\n")
record("tables of 16 bits", cjpeg(plain, "-qtables", wide, "-quality", "50"))
record("tables of 16 bits, progressive", cjpeg(plain, "-qtables", wide, "-quality", "50", "-progressive"))
for how in {"quality": 1}, {"quality": 75}, {"quality": 100, "subsampling": 1}, {"optimize": True}, {"progressive": True}:
    record(f"of PIL, {how}".replace("'", ""), by_pil(plain, **how))

small = cjpeg(image(13, 9))
for order in "<", ">":
    for orientation in range(10):
        record(f"orientation {orientation}, {'big' if order == '>' else 'little'} endian", small[:2] + exif(order, orientation) + small[2:])
record("orientation 6, grey", (lambda f: f[:2] + exif(">", 6, 0) + f[2:])(cjpeg(image(19, 8, 1))))

# A single component's blocks stand in rows whatever its sampling factors (T.81 A.2.2).
for switches in (), ("-progressive",), ("-restart", "3B"):
    record(f"grey, factors 2×2 {' '.join(switches)}".rstrip(), cjpeg(image(37, 23), "-grayscale", "-sample", "2x2", *switches))

# Of contradicting segments JFIF and the first EXIF hold.
record("RGB by Adobe, but JFIF", small[:20] + adobe + small[20:])
record("orientation 6, then 3", small[:2] + exif("<", 6) + exif("<", 3) + small[2:])

header, position = {"__metadata__": {"recorded with": f"Pillow {PIL.__version__}, libjpeg-turbo 2.1.5"}}, 0
for name, values in tensors.items():
    assert values.dtype == numpy.uint8, name
    header[name] = {"dtype": "U8", "shape": list(values.shape), "data_offsets": [position, position + values.size]}
    position += values.size
head = json.dumps(header, ensure_ascii=False).encode()
head += b" " * (-len(head) % 8)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "recorded", "pil-jpeg.safetensors"), "wb") as out:
    out.write(struct.pack("<Q", len(head)) + head + b"".join(values.tobytes() for values in tensors.values()))
print(f"{len(tensors) // 2} files, {position} bytes")
