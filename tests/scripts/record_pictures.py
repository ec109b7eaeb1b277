#!/usr/bin/env python3
"""Records how PIL decodes pictures: files of every kind that MiniCnn.Imaging reads, resized pictures, and colors converted to gray.

    python3 tests/scripts/record_pictures.py        # writes tests/recorded/pil-pictures.safetensors

Needs Pillow (9.4.0 on libjpeg-turbo 2.1.5 was used), numpy, and libjpeg-turbo's cjpeg. PIL writes few kinds of PNG and BMP and reads some PNGs
differently. The script therefore writes these files itself from their samples and computes the pixels of PNGs from the same samples. It stops if
PIL reads other pixels, except for the kinds that it reports as left out.
"""
import io
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import zlib

import numpy
import PIL
from PIL import Image, ImageCms, ImageOps

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
RANDOM = numpy.random.default_rng(8)
FOLDER = tempfile.TemporaryDirectory()
tensors, left_out = {}, []


def over_white(colour, alpha):
    """Rounded c·a/255 + 255 − a; there are no ties."""
    c, a = colour.astype(int), alpha.astype(int)
    return ((2 * (c * a + 255 * (255 - a)) + 255) // 510).astype(numpy.uint8)


def read_by_pil(file, grey=None):
    """Returns the pixels that PIL reads, upright and over white: [H, W, 1 or 3]."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    if picture.mode == "I":
        return (numpy.asarray(picture) >> 8).astype(numpy.uint8)[:, :, None]
    if picture.mode == "CMYK":
        return numpy.asarray(picture.convert("RGB"))
    rgba = picture.convert("RGBA")
    white = Image.new("RGB", picture.size, (255, 255, 255))
    white.paste(rgba, mask=rgba.getchannel("A"))
    pixels = numpy.asarray(white)
    return pixels[:, :, :1] if (picture.mode in ("1", "L", "LA") if grey is None else grey) else pixels


def record(name, file, pixels=None):
    if pixels is None:
        # A picture has one channel where a JPEG or PNG says that it is grey. PIL makes RGBA of a PNG's grey with alpha in 16 bits.
        grey = None if name.startswith("jpeg/") else name.startswith("png/") and file[25] in (0, 4)
        pixels = read_by_pil(file, grey)
    tensors[name + "/file"] = numpy.frombuffer(file, numpy.uint8)
    tensors[name + "/pixels"] = numpy.ascontiguousarray(pixels)


def saved(picture, kind, **how):
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def image(width, height, channels=3):
    """Draws gradients, edges and noise next to each other."""
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


def segment(marker, content):
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def exif(order, orientation, entries_before=2):
    """Returns an APP1 segment with some other entries before the orientation."""
    entries = b"".join(struct.pack(order + "HHII", 0x100 + i, 4, 1, 7) for i in range(entries_before))
    entries += struct.pack(order + "HHIHH", 0x112, 3, 1, orientation, 0)
    tiff = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    return segment(0xE1, b"Exif\0\0" + tiff + struct.pack(order + "H", entries_before + 1) + entries + bytes(4))


SAMPLINGS = {"grey": ("-grayscale",)} | {
    name: ("-sample", factors)
    for name, factors in {
        "4:4:4": "1x1", "4:2:2": "2x1", "4:4:0": "1x2", "4:2:0": "2x2", "4:1:1": "4x1", "4:1:0": "4x2", "1x4": "1x4", "3x1": "3x1", "2x3": "2x3",
        "mixed": "2x2,1x2,2x1", "chroma larger": "1x1,2x2,1x1", "all 2x2": "2x2,2x2,1x1", "Cb 1x1, Cr 4x1": "4x1,1x1,4x1",
    }.items()
}
COMMON = ["grey", "4:4:4", "4:2:2", "4:4:0", "4:2:0"]
SIZES = [(1, 1), (1, 17), (17, 1), (3, 5), (5, 3), (6, 4), (8, 9), (16, 16), (33, 18)]


def all_jpegs():
    for name, switches in SAMPLINGS.items():
        record(f"jpeg/{name}, 37×23", cjpeg(image(37, 23), *switches))
        record(f"jpeg/{name}, 37×23, progressive", cjpeg(image(37, 23), *switches, "-progressive"))
        if name in COMMON:
            for width, height in SIZES:
                record(f"jpeg/{name}, {width}×{height}", cjpeg(image(width, height), *switches, "-quality", "90"))
            for quality in "1", "50", "95", "100":
                record(f"jpeg/{name}, quality {quality}", cjpeg(image(19, 18), *switches, "-quality", quality))
                record(f"jpeg/{name}, quality {quality}, progressive", cjpeg(image(19, 18), *switches, "-quality", quality, "-progressive"))
            for interval in "1B", "3B", "1":
                record(f"jpeg/{name}, restarts {interval}", cjpeg(image(34, 19), *switches, "-restart", interval))
                record(f"jpeg/{name}, restarts {interval}, progressive", cjpeg(image(34, 19), *switches, "-restart", interval, "-progressive"))
            record(f"jpeg/{name}, optimised", cjpeg(image(37, 23), *switches, "-optimize"))

    # Larger ones: runs of blocks, long codes.
    record("jpeg/4:2:0, 100×75", cjpeg(image(100, 75), "-quality", "85"))
    record("jpeg/4:2:0, 100×75, progressive", cjpeg(image(100, 75), "-quality", "85", "-progressive"))
    record("jpeg/4:4:4, 100×75, progressive, quality 98", cjpeg(image(100, 75), "-quality", "98", "-sample", "1x1", "-progressive"))
    record("jpeg/grey, 160×90, runs", cjpeg(image(160, 90, 1), "-quality", "5", "-progressive"))
    record("jpeg/noise", cjpeg(Image.fromarray(RANDOM.integers(0, 256, (24, 40, 3)).astype(numpy.uint8)), "-quality", "100", "-sample", "1x1"))
    record("jpeg/black and white", cjpeg(Image.fromarray(RANDOM.integers(0, 2, (40, 24)).astype(numpy.uint8) * 255), "-quality", "30"))

    # Scans: one component each, two of three together, the finest successive approximation.
    apart = text("apart", "0;\n1;\n2;\n")
    pairs = text("pairs", "1 2;\n0;\n")
    bits = "".join(f"{c}: 1 63 {high} {high - 1};\n" for high in (3, 2, 1) for c in (0, 1, 2))
    fine = text("fine", "0 1 2: 0 0 0 2;\n0 1 2: 0 0 2 1;\n" + "".join(f"{c}: 1 5 0 3;\n{c}: 6 63 0 3;\n" for c in (2, 1, 0)) + bits + "0 1 2: 0 0 1 0;\n")
    for name in "4:4:4", "4:2:0", "4:4:0", "mixed":
        for scans, path in {"apart": apart, "pairs": pairs, "fine": fine}.items():
            record(f"jpeg/{name}, scans {scans}", cjpeg(image(35, 21), *SAMPLINGS[name], "-scans", path, "-restart", "2B"))
            record(f"jpeg/{name}, 5×3, scans {scans}", cjpeg(image(5, 3), *SAMPLINGS[name], "-scans", path))

    # Colours by Adobe's segment or the components' names.
    plain = image(31, 21)
    rgb = cjpeg(plain, "-rgb", "-quality", "90")
    adobe = segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, 0))
    assert adobe in rgb
    record("jpeg/RGB by Adobe", rgb)
    record("jpeg/RGB by names", rgb.replace(adobe, b""))
    record("jpeg/RGB by names, progressive", cjpeg(plain, "-rgb", "-progressive"))
    cmyk = saved(image(31, 21, 4), "JPEG", quality=92)
    assert adobe in cmyk
    record("jpeg/CMYK", cmyk)
    record("jpeg/CMYK, progressive", saved(image(31, 21, 4), "JPEG", quality=92, progressive=True))
    record("jpeg/CMYK without Adobe", cmyk.replace(adobe, b""))
    record("jpeg/YCCK", cmyk.replace(adobe, adobe[:-1] + b"\x02"))
    jfif = cjpeg(plain)
    assert jfif[2:4] == b"\xFF\xE0"
    record("jpeg/without JFIF", jfif[:2] + jfif[20:])
    record("jpeg/YCbCr by Adobe", jfif[:2] + adobe[:-1] + b"\x01" + jfif[20:])

    # Segments of no interest, fill bytes, bytes after the end, tables in 16 bits; what PIL writes.
    odd = segment(0xFE, b"a comment \xFF\xD9") + segment(0xE3, b"") + b"\xFF\xFF\xFF" + segment(0xED, bytes(300))
    odd += segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0")
    record("jpeg/odd segments", jfif[:20] + odd + jfif[20:])
    at = jfif.index(b"\xFF\xDA")
    record("jpeg/fill bytes", jfif[:at] + b"\xFF" * 5 + jfif[at:-2] + b"\xFF" * 7 + jfif[-2:])
    record("jpeg/bytes after the end", jfif + b"\xFF\xD8 and more")
    record("jpeg/restarts after fill bytes", (lambda f: f.replace(b"\xFF\xD0", b"\xFF\xFF\xFF\xD0"))(cjpeg(plain, "-restart", "2B")))
    wide = text("wide", " ".join(str(200 + 7 * i) for i in range(64)) + "\n" + " ".join(str(16 + 9 * i) for i in range(64)) + "\n")
    record("jpeg/tables of 16 bits", cjpeg(plain, "-qtables", wide, "-quality", "50"))
    record("jpeg/tables of 16 bits, progressive", cjpeg(plain, "-qtables", wide, "-quality", "50", "-progressive"))
    for how in {"quality": 1}, {"quality": 75}, {"quality": 100, "subsampling": 1}, {"optimize": True}, {"progressive": True}:
        record(f"jpeg/of PIL, {how}".replace("'", ""), saved(plain, "JPEG", **how))

    small = cjpeg(image(13, 9))
    for order in "<", ">":
        for orientation in range(10):
            record(f"jpeg/orientation {orientation}, {'big' if order == '>' else 'little'} endian", small[:2] + exif(order, orientation) + small[2:])
    record("jpeg/orientation 6, grey", (lambda f: f[:2] + exif(">", 6, 0) + f[2:])(cjpeg(image(19, 8, 1))))

    # A single component's blocks stand in rows whatever its sampling factors (T.81 A.2.2).
    for switches in (), ("-progressive",), ("-restart", "3B"):
        record(f"jpeg/grey, factors 2×2 {' '.join(switches)}".rstrip(), cjpeg(image(37, 23), "-grayscale", "-sample", "2x2", *switches))

    # Of contradicting segments JFIF and the first EXIF hold.
    record("jpeg/RGB by Adobe, but JFIF", small[:20] + adobe + small[20:])
    record("jpeg/orientation 6, then 3", small[:2] + exif("<", 6) + exif("<", 3) + small[2:])


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def filtered(rows, bpp, first):
    """Filters rows of bytes with the five PNG filters in turn."""
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


def expected(samples, kind, depth, palette, transparent):
    """Returns the pixels by the definition in the PNG standard; of 16 bits, the upper 8."""
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
        assert numpy.array_equal(read_by_pil(file, kind in (0, 4)), pixels), name
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

    # Every color with every alpha.
    colours, alphas = numpy.meshgrid(numpy.arange(256), numpy.arange(256))
    samples = numpy.stack([colours, alphas], axis=2)
    file = png(samples, 4, 8, 0)
    assert numpy.array_equal(read_by_pil(file, True), over_white(colours, alphas)[:, :, None])
    record("png/all alphas", file, over_white(colours, alphas)[:, :, None])

    # Files that PIL writes.
    rgba = RANDOM.integers(0, 256, (12, 17, 4)).astype(numpy.uint8)
    for mode in "1", "L", "LA", "P", "RGB", "RGBA":
        record(f"png/of PIL, {mode}", saved(Image.fromarray(rgba, "RGBA").convert(mode), "PNG"))


def bmp(samples, bits, palette=None, compression=0, masks=(), data=None, top_down=False):
    """samples: [H, W] of 1, 4, 8 or 16 bits; [H, W, 3 or 4] as blue, green, red, alpha."""
    height, width = samples.shape[:2]
    if data is None:
        rows = samples if top_down else samples[::-1]
        if bits < 8:
            shifts = numpy.arange(bits - 1, -1, -1)
            lines = [numpy.packbits((row[:, None] >> shifts & 1).astype(numpy.uint8)).tobytes() for row in rows]
        else:
            lines = [row.astype("<u2" if bits == 16 else "u1").tobytes() for row in rows]
        data = b"".join(line + bytes(-len(line) % 4) for line in lines)
    table = b"".join(struct.pack("<I", mask) for mask in masks)
    if palette is not None:
        table += b"".join(bytes([b, g, r, 0]) for r, g, b in palette)
    header = struct.pack("<IiiHHIIii", 40, width, -height if top_down else height, 1, bits, compression, len(data), 2835, 2835)
    header += struct.pack("<II", len(palette or []), 0)
    return b"BM" + struct.pack("<IHHI", 14 + 40 + len(table) + len(data), 0, 0, 14 + 40 + len(table)) + header + table + data


def all_bmps():
    palette = RANDOM.integers(0, 256, (256, 3)).tolist()
    for bits in 1, 4, 8:
        for width in 13, 16:
            samples = RANDOM.integers(0, 1 << bits, (9, width))
            record(f"bmp/{bits} bits, {width}×9", bmp(samples, bits, palette[: 1 << bits]))
    samples = RANDOM.integers(0, 1 << 16, (9, 13))
    record("bmp/16 bits, 5-5-5", bmp(samples & 0x7FFF, 16))
    record("bmp/16 bits, 5-6-5", bmp(samples, 16, compression=3, masks=(0xF800, 0x7E0, 0x1F)))
    samples = RANDOM.integers(0, 256, (9, 13, 4))
    record("bmp/24 bits", bmp(samples[:, :, :3], 24))
    record("bmp/24 bits, top down", bmp(samples[:, :, :3], 24, top_down=True))
    record("bmp/32 bits", bmp(samples, 32))
    record("bmp/32 bits, masks", bmp(samples, 32, compression=3, masks=(0xFF0000, 0xFF00, 0xFF)))
    # Runs of one colour, pixels apart, the ends of the rows and of the picture.
    runs, samples = b"", numpy.zeros((5, 7), int)
    for _ in range(5):
        a, b, c = RANDOM.integers(0, 200, 3).tolist()
        runs += bytes([4, a, 0, 3, a, b, c, 0, 0, 0])
    record("bmp/8 bits, runs", bmp(samples, 8, palette, compression=1, data=runs[:-2] + b"\0\1"))
    for mode in "1", "L", "P", "RGB", "RGBA":
        record(f"bmp/of PIL, {mode}", saved(Image.fromarray(RANDOM.integers(0, 256, (12, 17, 4)).astype(numpy.uint8), "RGBA").convert(mode), "BMP"))


def all_gifs():
    def frame(width=19, height=13):
        return Image.fromarray(RANDOM.integers(0, 256, (height, width, 3)).astype(numpy.uint8)).quantize(64)

    record("gif/64 colours", saved(frame(), "GIF"))
    record("gif/interlaced", saved(frame(), "GIF", interlace=1))
    record("gif/grey", saved(image(19, 13, 1), "GIF"))
    record("gif/transparent", saved(frame(), "GIF", transparency=7))
    record("gif/three frames", saved(frame(), "GIF", save_all=True, append_images=[frame(), frame()], duration=100, loop=0))
    record("gif/three frames, transparent", saved(frame(), "GIF", save_all=True, append_images=[frame(), frame()], transparency=3, disposal=2))
    small = bytearray(saved(frame(), "GIF"))
    small[6:10] = struct.pack("<HH", 23, 17)       # the canvas is larger than its frame
    record("gif/smaller than its canvas", bytes(small))


def all_webps():
    rgb, alpha = image(37, 23), RANDOM.integers(0, 256, (23, 37)).astype(numpy.uint8)
    rgba = rgb.copy()
    rgba.putalpha(Image.fromarray(alpha))
    for quality in 10, 75, 100:
        record(f"webp/quality {quality}", saved(rgb, "WEBP", quality=quality))
    for quality in 10, 90:
        record(f"webp/alpha, quality {quality}", saved(rgba, "WEBP", quality=quality))
    record("webp/lossless", saved(rgb, "WEBP", lossless=True))
    record("webp/lossless, alpha", saved(rgba, "WEBP", lossless=True))
    record("webp/lossless, alpha, exact", saved(rgba, "WEBP", lossless=True, exact=True))
    record("webp/lossless, few colours", saved(rgb.quantize(7).convert("RGB"), "WEBP", lossless=True))
    record("webp/1×1", saved(image(1, 1), "WEBP"))
    record("webp/two frames", saved(rgba, "WEBP", save_all=True, append_images=[rgb.convert("RGBA")], duration=100))
    record("webp/orientation 6", saved(rgb, "WEBP", exif=exif("<", 6)[10:]))


def all_profiles():
    """Colour profiles, which change no sample: one with red and blue exchanged, and a PNG of gamma 1."""
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    icc = icc[:24] + struct.pack(">6H", 2026, 11, 29, 23, 36, 6) + icc[36:]      # the time, so that the files stay the same
    icc = icc.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)
    for kind in "JPEG", "PNG", "WEBP":
        record(f"{kind.lower()}/ICC profile", saved(image(19, 13), kind, icc_profile=icc, lossless=True))
    file = saved(image(19, 13), "PNG")
    record("png/gamma 1", file[:33] + chunk(b"gAMA", struct.pack(">I", 100000)) + file[33:])
    record("png/16 bits, gamma 1", (lambda f: f[:33] + chunk(b"gAMA", struct.pack(">I", 100000)) + f[33:])(png(RANDOM.integers(0, 65536, (5, 7, 3)), 2, 16, 0)))


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
            size = (to_width, to_height)
            for fit, how in ("to", Image.Image.resize), ("letterbox", ImageOps.pad), ("crop", ImageOps.fit):
                if fit == "letterbox" and not all(1 <= round(to * length / other) for to, length, other in [(to_width, height, width), (to_height, width, height)]):
                    continue                               # PIL would make a picture of no rows
                tensors[f"{name}/{fit}"] = numpy.asarray(how(image, size, Image.Resampling.BILINEAR)).reshape(to_height, to_width, channels)
                if channels == 1:                          # as a mask: bars are 255
                    bars = {"color": 255} if fit == "letterbox" else {}
                    tensors[f"{name}/{fit}, nearest"] = numpy.asarray(how(image, size, Image.Resampling.NEAREST, **bars))


def all_masks():
    """Class indices: a palette's, whatever the colours (here each stands twice, and the last index has none) and alphas; grey samples, not scaled."""
    def record_mask(name, file, samples):
        read = numpy.asarray(Image.open(io.BytesIO(file))).astype(int)
        if file[25] == 0 and file[24] in (2, 4):        # which PIL scales to 0 to 255; of 1 bit it makes truths
            read = read * ((1 << file[24]) - 1) // 255
        assert numpy.array_equal(read, samples), name
        tensors[name + "/file"] = numpy.frombuffer(file, numpy.uint8)
        tensors[name + "/pixels"] = samples[:, :, None].astype(numpy.uint8)

    for kind in 0, 3:
        for depth in 1, 2, 4, 8:
            samples = RANDOM.integers(0, 1 << depth, (13, 19))
            palette = numpy.repeat(RANDOM.integers(0, 256, ((1 << depth) // 2, 3)), 2, axis=0).astype(numpy.uint8)[:-1]
            for interlaced in 0, 1:
                for transparent in False, True:
                    key = None if not transparent else bytes(range(len(palette))) if kind == 3 else struct.pack(">H", 1)
                    file = png(samples[:, :, None], kind, depth, interlaced, palette if kind == 3 else None, key)
                    record_mask(f"mask/type {kind}, {depth} bits{', interlaced' * interlaced}{', transparent' * transparent}", file, samples)

    # What PIL writes: as many bits as its palette takes, black and white, grey.
    samples = RANDOM.integers(0, 2, (13, 19))
    for colours in 2, 4, 16, 256:
        mask = Image.fromarray((samples * (colours - 1)).astype(numpy.uint8), "P")
        mask.putpalette(RANDOM.integers(0, 256, 3 * colours).tolist())
        record_mask(f"mask/of PIL, {colours} colours", saved(mask, "PNG"), samples * (colours - 1))
    record_mask("mask/of PIL, black and white", saved(Image.fromarray(samples.astype(bool)), "PNG"), samples)
    record_mask("mask/of PIL, grey", saved(Image.fromarray((samples * 7).astype(numpy.uint8)), "PNG"), samples * 7)


def all_greys():
    steps = numpy.array([0, 1, 2, 63, 64, 100, 127, 128, 129, 200, 253, 254, 255])
    colours = numpy.stack(numpy.meshgrid(steps, steps, steps), axis=3).reshape(13, -1, 3).astype(numpy.uint8)
    noise = RANDOM.integers(0, 256, (13, 1000, 3)).astype(numpy.uint8)
    tensors["grey/rgb"] = numpy.concatenate([colours, noise], axis=1)
    tensors["grey/grey"] = numpy.asarray(Image.fromarray(tensors["grey/rgb"]).convert("L"))[:, :, None]


ORIENTATIONS = {          # type, format and values of an entry
    "BYTE": (1, "B", 6), "ASCII": (2, "2s", b"6\0"), "SHORT": (3, "H", 6), "two SHORT": (3, "HH", 6, 3), "three SHORT": (3, "HHH", 6, 3, 3),
    "LONG": (4, "I", 6), "two LONG": (4, "II", 6, 3), "RATIONAL": (5, "II", 12, 2), "RATIONAL 13 2": (5, "II", 13, 2), "RATIONAL 6 0": (5, "II", 6, 0),
    "SBYTE": (6, "b", 6), "UNDEFINED": (7, "B", 6), "SSHORT": (8, "h", 6), "negative": (8, "h", -6), "SLONG": (9, "i", 6),
    "SRATIONAL": (10, "ii", -12, -2), "FLOAT": (11, "f", 6), "DOUBLE": (12, "d", 6), "IFD": (13, "I", 6), "type 14": (14, "I", 6), "LONG8": (16, "Q", 6),
}


def entry(order, kind, form, *values, at=0):
    """An orientation's entry and what stands at another place, `at`."""
    data = struct.pack(order + form, *values)
    count = len(values) // (2 if kind in (5, 10) else 1) if form != "2s" else 2
    head = struct.pack(order + "HHI", 0x112, kind, count)
    return (head + data.ljust(4, b"\0"), b"") if len(data) <= 4 else (head + struct.pack(order + "I", at), data)


def tiff(order, *entries, behind=b"", count=None):
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, len(entries) if count is None else count)
    return head + b"".join(entries) + bytes(4) + behind


def all_orientations():
    """Records how PIL finds the EXIF orientation: types, places, contradictions."""
    jpeg, grey = cjpeg(image(9, 5), "-grayscale"), image(9, 5, 1)
    file = saved(grey, "PNG")
    first = file.index(b"IDAT") - 4
    with_exif = lambda *exifs: jpeg[:2] + b"".join(segment(0xE1, b"Exif\0\0" + x) for x in exifs) + jpeg[2:]
    for order, name in ("<", "little"), (">", "big"):
        for kind, what in ORIENTATIONS.items():
            own, behind = entry(order, *what, at=26)
            record(f"jpeg/orientation of {kind}, {name} endian", with_exif(tiff(order, own, behind=behind)))
        six, one = (entry(order, 3, "H", value)[0] for value in (6, 1))
        unknown, outside = entry(order, 99, "H", 1)[0], entry(order, 4, "II", 1, 1, at=9999)[0]
        turned, upright = tiff(order, six), tiff(order, one)
        odd = {
            "6 and 1 in one": [tiff(order, six, one)], "1 and 6 in one": [tiff(order, one, six)], "6 and an unknown type": [tiff(order, six, unknown)],
            "6 and values outside": [tiff(order, six, outside)], "nine entries, of which one is there": [tiff(order, six, count=9)],
            "an entry that is cut": [turned[:-5]], "empty, then 6": [b"", turned], "none, then 6": [tiff(order), turned],
            "entries elsewhere": [turned[:4] + struct.pack(order + "I", 9) + b"\0" + turned[8:]],
            "entries outside": [turned[:4] + struct.pack(order + "I", 9999) + turned[8:]], "prefix twice": [b"Exif\0\0" + turned],
        }
        for what, exifs in odd.items():
            record(f"jpeg/EXIF, {what}, {name} endian", with_exif(*exifs))
        record(f"jpeg/EXIF behind the scan, {name} endian", jpeg[:-2] + segment(0xE1, b"Exif\0\0" + turned) + jpeg[-2:])
        long6 = tiff(order, entry(order, 4, "I", 6)[0])
        record(f"png/EXIF before the pixels, {name} endian", file[:first] + chunk(b"eXIf", long6) + file[first:])
        record(f"png/EXIF behind the pixels, {name} endian", file[:-12] + chunk(b"eXIf", long6) + file[-12:])
        record(f"png/EXIF twice, {name} endian", file[:first] + chunk(b"eXIf", upright) + file[first:-12] + chunk(b"eXIf", turned) + file[-12:])
        record(f"webp/orientation of LONG, {name} endian", saved(grey.convert("RGB"), "WEBP", exif=long6))
        record(f"webp/orientation of LONG, odd length, {name} endian", saved(grey.convert("RGB"), "WEBP", exif=b"Exif\0\0" + long6 + b"\0"))
        odd_pixels = next(f for f in (saved(image(w, 5), "WEBP", lossless=True, exif=long6) for w in range(9, 99)) if f[f.index(b"VP8L") + 4] % 2)
        record(f"webp/orientation behind a chunk of odd length, {name} endian", odd_pixels)
        name = f"mask/EXIF, {name} endian"
        tensors[name + "/file"] = numpy.frombuffer(file[:first] + chunk(b"eXIf", long6) + file[first:], numpy.uint8)
        tensors[name + "/pixels"] = numpy.rot90(numpy.asarray(grey), -1)[:, :, None].copy()


def all_incomplete_jpegs():
    """Every pixel is there, but not the end's marker, which PIL wants, or the tables of T.81, annex K.3."""
    for name, switches in {
        "4:2:0": (), "progressive": ("-progressive",), "grey": ("-grayscale",), "4:2:2, restarts": ("-sample", "2x1", "-restart", "1B"),
        "restarts, progressive": ("-restart", "1B", "-progressive"), "optimised": ("-optimize",),
    }.items():
        whole = cjpeg(image(21, 13), *switches)
        assert whole[-2:] == b"\xFF\xD9"
        record(f"jpeg/without end, {name}", whole[:-2], read_by_pil(whole))
    whole = cjpeg(image(21, 13))
    record("jpeg/without end, half of it", whole[:-1], read_by_pil(whole))
    record("jpeg/without end, zeros behind", whole[:-2] + bytes(30), read_by_pil(whole))
    record("jpeg/without end, orientation 6", whole[:2] + exif("<", 6) + whole[2:-2], numpy.rot90(read_by_pil(whole), -1))
    for name, switches in {"4:2:0": (), "grey": ("-grayscale",), "4:2:2, restarts": ("-sample", "2x1", "-restart", "1")}.items():
        whole, at = cjpeg(image(21, 13), *switches), 2
        bare = whole[:2]
        while whole[at + 1] != 0xDA:
            length = 2 + int.from_bytes(whole[at + 2:at + 4], "big")
            bare += b"" if whole[at + 1] == 0xC4 else segment(0xE0, b"AVI1" + bytes(10)) if whole[at + 1] == 0xE0 else whole[at:at + length]
            at += length
        assert len(bare) < len(whole) - 180 and numpy.array_equal(read_by_pil(bare + whole[at:]), read_by_pil(whole)), name
        record(f"jpeg/without tables, {name}", bare + whole[at:])


all_jpegs()
RANDOM = numpy.random.default_rng(4)
all_pngs()
all_bmps()
all_gifs()
all_webps()
all_profiles()
all_resizes()
all_greys()
all_masks()
all_orientations()
all_incomplete_jpegs()

header, position = {"__metadata__": {"recorded with": f"Pillow {PIL.__version__}, libjpeg-turbo 2.1.5"}}, 0
for name, values in tensors.items():
    assert values.dtype == numpy.uint8, name
    header[name] = {"dtype": "U8", "shape": list(values.shape), "data_offsets": [position, position + values.size]}
    position += values.size
head = json.dumps(header, ensure_ascii=False).encode()
head += b" " * (-len(head) % 8)
with open(pathlib.Path(__file__).resolve().parents[1] / "recorded" / "pil-pictures.safetensors", "wb") as out:
    out.write(struct.pack("<Q", len(head)) + head + b"".join(values.tobytes() for values in tensors.values()))
print(f"{len(tensors)} tensors, {position} bytes; without PIL's word: {', '.join(left_out)}")
