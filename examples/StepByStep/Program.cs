// Writes a page that follows an article and a lecture on convolution step by step; each number on it is computed as it is made.
using System.CommandLine;
using System.Diagnostics;
using System.Text;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Examples.Mnist;
using MiniCnn.Examples.StepByStep;
using MiniCnn.Imaging;

Console.OutputEncoding = Encoding.UTF8;
Option<string?> photo = new("--photo") { Description = "JPEG, PNG, WebP, GIF or BMP, at least 192×192; else a cat that comes with the program" };
Option<string?> data = new("--data")
{
    Description = "Folder of MNIST's four IDX files; else MINICNN_DATASETS/mnist, else datasets/mnist, downloaded on first use",
};
Option<int> limit = new("--limit") { Description = "Digits to train on in the pixel shuffle", DefaultValueFactory = _ => 12_000 };
Option<int> seeds = new("--seeds") { Description = "Runs of each kind in the pixel shuffle", DefaultValueFactory = _ => 5 };
Option<string> output = new("--out") { Description = "Folder for step-by-step.html", DefaultValueFactory = _ => Path.Combine("runs", "step-by-step") };
RootCommand command = new("Writes a page on convolution: every step of the article and the lecture that MiniCnn grew from, with figures and their code.")
{
    photo, data, limit, seeds, output,
};
command.SetAction(Run);
return CommandLine.Run(command, args, options => options.Below(10, limit) ?? options.Below(1, seeds));

int Run(ParseResult options)
{
    using CtrlC stop = new();
    long start = Stopwatch.GetTimestamp();
    Console.WriteLine($"looking for a photo and digits; {Workers.Count} threads");
    Picture picture = options.GetValue(photo) is string path ? Picture.Load(path) : Picture.Load(PageStep.Resource("photo.jpg"));
    if (picture.Width < 192 || picture.Height < 192)
        throw new InvalidDataException($"{options.GetValue(photo)}: expected a photo of at least 192×192 pixels, got {picture.Width}×{picture.Height}");
    (LabeledImages train, LabeledImages test, string name) = Digits.Load(options.GetValue(data), stop.Token);
    Materials materials = new(
        picture.ToRgb(), Path.GetFileName(options.GetValue(photo)) ?? "a cat by Stéfan van der Walt, CC0",
        options.GetValue(photo) is null ? (0.362, 0.388) : (0.5, 0.5),      // the cat's eye, or the middle
        train.Take(options.GetValue(limit)), test, name, options.GetValue(seeds));

    string page = Path.Combine(Directory.CreateDirectory(options.GetValue(output)!).FullName, "step-by-step.html");
    File.WriteAllText(page, Lesson.Write(materials, Console.WriteLine, stop.Token));
    Console.WriteLine($"saved after {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s: {page}");
    return 0;
}
