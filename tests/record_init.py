"""Records what torch.nn.init draws into tests/recorded/init.safetensors; run it again only to add cases.

    python3 tests/record_init.py

Each tensor is drawn after a torch.manual_seed of its own; “….call” holds the seed, the mode (0 fan_in, 1 fan_out), and a, or the gain, in
thousandths. “pairs” are small tensors drawn one after the other from one seed, 77.
"""
import pathlib

import torch

from safetensors_writer import write

SHAPES = ((8, 3, 5, 3), (7, 5), (3, 2, 1, 2), (16, 1, 3, 3), (4, 4), (5, 3), (1, 33), (5, 6, 3, 1))
tensors = {}


def record(name, seed, call, weight, *arguments):
    torch.manual_seed(seed)
    tensors[name] = call(weight)
    tensors[f"{name}.call"] = torch.tensor([seed, *arguments])


for i, shape in enumerate(SHAPES):
    seed = (i + 1) * 1001 if i % 3 else 2**32 - 1 - i
    for distribution in ("uniform", "normal"):
        kaiming, xavier = (getattr(torch.nn.init, f"{kind}_{distribution}_") for kind in ("kaiming", "xavier"))
        for mode in (0, 1):
            for a in (0, 300, 2236):
                record(
                    f"kaiming_{distribution}.{i}.{mode}.{a}", seed,
                    lambda w: kaiming(w, a=a / 1000, mode=("fan_in", "fan_out")[mode]), torch.empty(shape), mode, a)
        for gain in (1000, 1667, 250):
            record(f"xavier_{distribution}.{i}.{gain}", seed, lambda w: xavier(w, gain=gain / 1000), torch.empty(shape), 0, gain)

torch.manual_seed(77)
for i, shape in enumerate(((3, 3), (3, 1, 1, 1), (8, 3), (5, 1), (2, 1))):
    tensors[f"pairs.{i}"] = torch.nn.init.xavier_normal_(torch.empty(shape))
write(pathlib.Path(__file__).parent / "recorded" / "init.safetensors", tensors)
