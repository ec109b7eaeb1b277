#!/usr/bin/env python3
"""Measures the figures of README.md and docs/*.md and writes them between their markers. Run it on a quiet machine:

    MINICNN_DATASETS=DIR python3 tests/scripts/readme_figures.py
    MINICNN_DATASETS=DIR python3 tests/scripts/readme_figures.py pets
    MINICNN_DATASETS=DIR python3 tests/scripts/readme_figures.py residual
    MINICNN_DATASETS=DIR python3 tests/scripts/readme_figures.py tuning
    python3 tests/scripts/readme_figures.py segmentation

The first command runs examples/Mnist for the seeds 0 to 4, with its defaults and with --fast, and the tests. The others run, for the seeds 0 to 2:
examples/CatsVsDogs, examples/ResNet on Fashion-MNIST, examples/FineTuning with the 3,000 images of DIR/cifar10-subset, and examples/Segmentation.
Each takes some minutes. Needs the Python standard library only.
"""
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def run(*command):
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout.rstrip().split("\n")


def block(name, text):
    """Replaces the block of this name in the document that has it."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    path = next(path for path in DOCUMENTS if begin in path.read_text(encoding="utf-8"))
    before, rest = path.read_text(encoding="utf-8").split(begin)
    path.write_text(before + begin + text + end + rest.split(end)[1], encoding="utf-8", newline="\n")


def processor():
    if os.path.exists("/proc/cpuinfo"):
        names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def seeds(example, *options):
    """Runs an example for the seeds 0 to 2. Yields the seed, the printed lines, and the seconds from start to end."""
    for seed in range(3):
        start = time.monotonic()
        lines = run("dotnet", "run", "-c", "Release", "--no-build", "--project", f"examples/{example}", "--", *options, "--seed", str(seed))
        seconds = time.monotonic() - start
        print(f"seed {seed}: {lines[-1]} in {seconds:.0f} s")
        yield seed, lines, seconds


def pets():
    accuracies, times, shown = [], [], None
    with tempfile.TemporaryDirectory() as folder:
        for seed, lines, seconds in seeds("CatsVsDogs", "--out", folder):
            times.append(seconds)
            if any(line.startswith("no photos") for line in lines):
                raise SystemExit("this needs the photos; drawn cats and dogs are not quoted")
            accuracies.append(float(re.match(r"validation accuracy: ([\d.]+) %", lines[-1])[1]))
            if seed == 0:
                progress = [line for line in lines if line.startswith("epoch")]
                shown = [*lines[:3], "…", progress[len(progress) // 2], progress[-1], "…", lines[-1]]
    block("pets", f"""```
$ dotnet run -c Release --project examples/CatsVsDogs
""" + "\n".join(shown) + f"""
```

Trained on 2,000 photos from random weights: **{statistics.median(accuracies):.1f} %** of 1,000 validation photos, median of the seeds 0 to 2 \
({min(accuracies):.1f} to {max(accuracies):.1f}), in {statistics.median(times):.0f} s from start to end on {os.cpu_count()} cores of {processor()}.
""")


def residual():
    accuracies, times, shown = [], [], None
    for seed, lines, seconds in seeds("ResNet"):
        times.append(seconds)
        accuracies.append(float(re.match(r"test accuracy: ([\d.]+) %", lines[-1])[1]))
        if seed == 0:
            progress = [line for line in lines if line.startswith("epoch")]
            shown = [progress[len(progress) // 2], progress[-1], lines[-1]]
    block("residual", """```
$ dotnet run -c Release --project examples/ResNet
…
""" + "\n".join(shown) + f"""
```

Fashion-MNIST's test set: **{statistics.median(accuracies):.2f} %**, median of the seeds 0 to 2 ({min(accuracies):.2f} to {max(accuracies):.2f}), \
in {statistics.median(times):.0f} s from start to end on {os.cpu_count()} cores of {processor()}.
""")


def tuning():
    first = Path(os.environ["MINICNN_DATASETS"]) / "cifar10-subset" / "train-3000.bin"
    tuned, fresh, shown = [], [], None
    with tempfile.TemporaryDirectory() as folder:
        for seed, lines, _ in seeds("FineTuning", str(first), "--model", f"{folder}/model.safetensors"):
            os.remove(f"{folder}/model.safetensors")                 # each seed has a first network of its own
            found = re.match(r"validation accuracy: fine-tuned ([\d.]+) %.*, from scratch ([\d.]+) %", lines[-1])
            tuned.append(float(found[1]))
            fresh.append(float(found[2]))
            shown = shown or [*[line for line in lines if line.startswith("training on")], lines[-1]]
    block("tuning", """```
$ dotnet run -c Release --project examples/FineTuning -- train-3000.bin
…
""" + "\n".join(shown) + f"""
```

Of 1,000 other photos **{statistics.median(tuned):.1f} %** ({min(tuned):.1f} to {max(tuned):.1f}) are classified correctly by the fine-tuned model and \
{statistics.median(fresh):.1f} % ({min(fresh):.1f} to {max(fresh):.1f}) by the other: median and range of the seeds 0 to 2, after 3,000 of CIFAR-10's images.
""")


def segmentation():
    means, times, shown = [], [], None
    with tempfile.TemporaryDirectory() as folder:
        for seed, lines, seconds in seeds("Segmentation", "--out", folder):
            times.append(seconds)
            means.append([float(number) for number in lines[-1].split()[1:]])
            if seed == 0:
                shown = lines[-7:]
                shutil.copy(Path(folder) / "overlays.png", ROOT / "examples" / "Segmentation" / "overlays.png")
    whole, without = zip(*means)
    block("segmentation", """```
$ dotnet run -c Release --project examples/Segmentation
…
""" + "\n".join(shown) + f"""
```

Mean IoU on 200 held-out photos, median and range of the seeds 0 to 2: **{statistics.median(whole):.1f} %** ({min(whole):.1f} to {max(whole):.1f}) with \
skips, {statistics.median(without):.1f} % ({min(without):.1f} to {max(without):.1f}) without, both nets in {statistics.median(times):.0f} s from start to end on {os.cpu_count()} cores of {processor()}.
""")


def compare():
    """Writes the output of examples/CompareWithTorchSharp: the table, and the network that was ported with a mistake."""
    command = "$ dotnet run -c Release --project examples/CompareWithTorchSharp"
    lines = [line.rstrip() for line in run("dotnet", "run", "-c", "Release", "--no-build", "--project", "examples/CompareWithTorchSharp")]
    (ROOT / "tests/recorded/live-run.txt").write_text("\n".join([command, *lines]) + "\n", encoding="utf-8", newline="\n")
    ported = next(i for i, line in enumerate(lines) if line.startswith("A net ported"))
    table = lines[:ported - 1]
    block("compare", f"```\n{command}\n" + "\n".join([*table[:9], "  …", *table[-5:]]) + "\n```\n")
    block("parity", f"```\n{command} -- port eps\n" + "\n".join(lines[ported:]).rstrip() + "\n```\n")


parts = {"pets": pets, "residual": residual, "tuning": tuning, "segmentation": segmentation, "compare": compare}
if len(sys.argv) == 2 and sys.argv[1] in parts:
    run("dotnet", "build", "-c", "Release")
    parts[sys.argv[1]]()
    sys.exit()
for name in ("mnist", "tests", "compare", "parity", "figures"):
    block(name, "being measured\n")                 # the tests below refuse an empty block
run("dotnet", "build", "-c", "Release")
accuracies, seconds, shown = [], [], None
fast = []                                           # (accuracy, seconds from the start of the process)
with tempfile.TemporaryDirectory() as folder:
    for seed in range(5):
        start = time.monotonic()
        lines = run("dotnet", "run", "-c", "Release", "--no-build", "--project", "examples/Mnist", "--", "--seed", str(seed), "--out", folder)
        seconds.append(time.monotonic() - start)
        if not any(line.startswith("MNIST:") for line in lines):
            raise SystemExit("this needs MNIST itself; built-in digits are not quoted")
        accuracies.append(float(re.match(r"test accuracy: ([\d.]+) %", lines[-1])[1]))
        if seed == 0:
            progress = [line for line in lines if line.startswith("epoch")]
            kernels = [line for line in lines if line.startswith("first-layer")]
            shown = dict.fromkeys([progress[len(progress) // 2], progress[-1], *kernels, lines[-1]])       # one line of progress may be all
            shutil.copy(Path(folder) / "kernels.png", ROOT / "examples" / "Mnist" / "kernels.png")
        lines = run("dotnet", "run", "-c", "Release", "--no-build", "--project", "examples/Mnist", "--", "--fast", "--seed", str(seed), "--out", folder)
        fast += [(float(m[1]), float(m[2])) for line in lines if (m := re.match(r"([\d.]+) % after ([\d.]+) s from the start", line))]
        print(f"seed {seed}: {accuracies[-1]} % in {seconds[-1]:.1f} s; --fast: {fast[-1][0]} % after {fast[-1][1]} s")
fast_accuracies, fast_seconds = zip(*fast)

start = time.monotonic()
tests = run("dotnet", "test", "-c", "Release", "--no-build")
took = time.monotonic() - start
kept = [line.strip() for line in tests if line.startswith("Passed!") or line.strip().startswith("Checked against")]
convolutions = re.search(r"live .*?, (\d+) of them conv2d", "\n".join(kept))[1]
compare()
lenet = re.search(r"\| LeNet-5, training step \| (.*?) \|.*?\*\*([\d.]+)\*\*", (ROOT / "docs/performance.md").read_text(encoding="utf-8"))

# The sizes of a program that uses the package, and of TorchSharp's native libraries.
output = ROOT / "examples/Mnist/bin/Release/net10.0"
own = (output / "MiniCnn.dll").stat().st_size
whole = own + sum((output / f"{name}.dll").stat().st_size for name in ("MathNet.Numerics", "System.Numerics.Tensors"))
packages = Path(os.environ.get("NUGET_PACKAGES", Path.home() / ".nuget/packages"))
native = sum(file.stat().st_size for file in packages.glob("libtorch-cpu-linux-x64/*/runtimes/**/*") if file.is_file())

block("mnist", "```\n$ dotnet run -c Release --project examples/Mnist\n…\n" + "\n".join(shown) + "\n```\n")
block("tests", "```\n$ dotnet test -c Release\n…\n" + "\n".join([*[line for line in kept if "a live" in line], kept[-2]]) + "\n```\n")
block("figures", f"""| | | command |
|---|---|---|
| conv2d cases that agree with TorchSharp | **{convolutions} of {convolutions}**, each with its gradients | `dotnet test -c Release` ({took:.0f} s) |
| MNIST, test accuracy after 3 epochs | **{statistics.median(accuracies):.2f} %** ({min(accuracies):.2f} to {max(accuracies):.2f}), median and range of the seeds 0 to 4 | `dotnet run -c Release --project examples/Mnist -- --seed 0` |
| time of this run, from start to end | **{statistics.median(seconds):.1f} s** ({min(seconds):.1f} to {max(seconds):.1f}) | the same, on 2 cores of {processor()} |
| the same with `--fast` | **{statistics.median(fast_accuracies):.2f} %** ({min(fast_accuracies):.2f} to {max(fast_accuracies):.2f}) after **{statistics.median(fast_seconds):.1f} s** ({min(fast_seconds):.1f} to {max(fast_seconds):.1f}) | `dotnet run -c Release --project examples/Mnist -- --fast --seed 0` |
| LeNet-5, training | **{lenet[1]}**, {lenet[2]} times as fast as TorchSharp | `dotnet run -c Release --project tests/MiniCnn.Benchmarks -- compare --only LeNet-5` |
| size of the library | **{own / 1e3:.0f} kB**; with MathNet.Numerics and System.Numerics.Tensors {whole / 1e6:.1f} MB; TorchSharp-cpu {native / 1e6:.0f} MB | `dotnet build -c Release` |
""")
