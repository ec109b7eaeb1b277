"""Records what PyTorch's optimizers, clipping and schedules compute into tests/recorded/optimizers.safetensors; run it again only to add cases.

    python3 tests/record_optimizers.py

A weight and a bias make ten steps on gradients that are in the file too. Names: weight, gradient.3.weight, adam.3.weight, clip.2.norm, one_cycle.linear, …
"""
import pathlib

import torch
from torch.optim import lr_scheduler

from safetensors_writer import write

STEPS = 10
torch.manual_seed(11)
tensors = {"weight": torch.rand(4, 9) * 2 - 1, "bias": torch.rand(4) * 2 - 1}
for step in range(STEPS):
    # Some numbers' gradients are a thousand times others', as in a net; the last step's are large.
    scale = 10 if step == STEPS - 1 else 1
    tensors[f"gradient.{step}.weight"] = (torch.rand(4, 9) * 2 - 1) * scale * torch.logspace(-3, 0, 9)
    tensors[f"gradient.{step}.bias"] = (torch.rand(4) * 2 - 1) * scale


def optimizer(name, make, **numbers):
    """Ten steps, with half the learning rate from the sixth on."""
    weight, bias = (tensors[p].clone().requires_grad_() for p in ("weight", "bias"))
    optimizer = make(weight, bias, **numbers)
    for step in range(STEPS):
        weight.grad, bias.grad = tensors[f"gradient.{step}.weight"].clone(), tensors[f"gradient.{step}.bias"].clone()
        if step == 5:
            for group in optimizer.param_groups:
                group["lr"] /= 2
        optimizer.step()
        tensors[f"{name}.{step}.weight"], tensors[f"{name}.{step}.bias"] = weight.detach().clone(), bias.detach().clone()


def sgd(weight, bias, **numbers):
    return torch.optim.SGD([weight, bias], lr=0.05, **numbers)


def adam(weight, bias, **numbers):
    return torch.optim.Adam([weight, bias], **numbers)


def adamw(weight, bias, **numbers):
    return torch.optim.AdamW([weight, bias], **numbers)


def groups(weight, bias):
    return torch.optim.AdamW([{"params": [weight]}, {"params": [bias], "weight_decay": 0}], lr=0.02, weight_decay=0.5)


optimizer("sgd", sgd)
optimizer("sgd_decay", sgd, weight_decay=0.1)
optimizer("sgd_momentum", sgd, momentum=0.9)
optimizer("sgd_dampening", sgd, momentum=0.8, dampening=0.3, weight_decay=0.1)
optimizer("sgd_nesterov", sgd, momentum=0.9, nesterov=True, weight_decay=0.1)
optimizer("adam", adam)
optimizer("adam_decay", adam, lr=0.02, weight_decay=0.1)
optimizer("adam_numbers", adam, lr=0.02, betas=(0.8, 0.95), eps=0.01)
optimizer("adamw", adamw)
optimizer("adamw_no_decay", adamw, lr=0.02, weight_decay=0)
optimizer("adamw_decay", adamw, lr=0.02, betas=(0.8, 0.95), weight_decay=0.5)
optimizer("adamw_groups", groups)

for step, largest in enumerate([1.0, 0.5, 100.0]):
    weight, bias = (torch.nn.Parameter(tensors[p].clone()) for p in ("weight", "bias"))
    weight.grad, bias.grad = tensors[f"gradient.{step}.weight"].clone(), tensors[f"gradient.{step}.bias"].clone()
    tensors[f"clip.{step}.norm"] = torch.nn.utils.clip_grad_norm_([weight, bias], largest)
    tensors[f"clip.{step}.weight"], tensors[f"clip.{step}.bias"] = weight.grad, bias.grad


def schedule(name, steps, make, rate=0.05):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) < steps:
            scheduler.step()
    tensors[f"schedule.{name}"] = torch.tensor(rates, dtype=torch.float32)


def warmed_up(optimizer, warm_up, steps, final):
    return lr_scheduler.SequentialLR(optimizer, [
        lr_scheduler.LinearLR(optimizer, start_factor=1 / (warm_up + 1), total_iters=warm_up),
        lr_scheduler.CosineAnnealingLR(optimizer, steps - warm_up, final),
    ], [warm_up])


schedule("step", 35, lambda o: lr_scheduler.StepLR(o, 10))
schedule("step_numbers", 20, lambda o: lr_scheduler.StepLR(o, 3, 0.7))
schedule("cosine", 31, lambda o: lr_scheduler.CosineAnnealingLR(o, 30))
schedule("cosine_warm_up", 41, lambda o: warmed_up(o, 7, 40, 0.002))
schedule("one_cycle", 100, lambda o: lr_scheduler.OneCycleLR(o, 0.05, 100))
schedule("one_cycle_linear", 33, lambda o: lr_scheduler.OneCycleLR(o, 0.05, 33, anneal_strategy="linear"))
schedule("one_cycle_numbers", 17, lambda o: lr_scheduler.OneCycleLR(o, 0.2, 17, pct_start=0.45, div_factor=5, final_div_factor=20))
schedule("one_cycle_no_warm_up", 9, lambda o: lr_scheduler.OneCycleLR(o, 0.05, 9, pct_start=0.0))
write(pathlib.Path(__file__).parent / "recorded" / "optimizers.safetensors", tensors)
