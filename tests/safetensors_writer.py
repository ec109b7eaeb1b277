"""Writes what the record_*.py scripts have recorded from PyTorch."""
import json
import struct

import torch


def write(path, tensors):
    header, data = {"__metadata__": {"recorded_with": f"PyTorch {torch.__version__}, CPU"}}, b""
    for name in sorted(tensors, key=lambda name: (tensors[name].dtype != torch.int64, name)):
        values = tensors[name].detach().contiguous()
        raw = values.numpy().tobytes()
        header[name] = {
            "dtype": {torch.float32: "F32", torch.int64: "I64"}[values.dtype], "shape": list(values.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
