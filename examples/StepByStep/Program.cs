// Writes a page that follows an article and a lecture on convolution step by step. Each number on the page is computed when the page is written.
using System.CommandLine;
using System.Diagnostics;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Examples.Mnist;
using MiniCnn.Examples.StepByStep;
using MiniCnn.Imaging;

Option<string?> photo = new("--photo")
{
    Description = "JPEG, PNG, WebP, GIF or BMP of at least 192×192 pixels [default: a photo of a cat]",
};
Option<string?> data = Digits.Folder();
Option<int> limit = CommandLine.Number("--limit", "Number of training digits in the pixel shuffle", 12_000, least: 10);
Option<int> seeds = CommandLine.Number("--seeds", "Number of runs of each kind in the pixel shuffle", 5, least: 1);
Option<string> output = TrainingOptions.Output("step-by-step", "step-by-step.html");
RootCommand command = new("Writes a page on convolution that follows an article and a lecture step by step, with figures and their code.")
{
    photo, data, limit, seeds, output,
};
command.SetAction(Run);
return CommandLine.Run(command, args);

void Run(ParseResult options)
{
    using CtrlC stop = new();
    long start = Stopwatch.GetTimestamp();
    Console.WriteLine($"loading the photo and digits; {Workers.Count} threads");
    string? path = options.GetValue(photo);
    Picture picture = path is null ? Picture.Load(PageStep.Resource("photo.jpg")) : Picture.Load(path);
    if (picture.Width < 192 || picture.Height < 192)
        throw new InvalidDataException($"{path}: expected a photo of at least 192×192 pixels, got {picture.Width}×{picture.Height}");
    (LabeledImages train, LabeledImages test, string name) = Digits.Load(options.GetValue(data), stop.Token);
    Materials materials = new(
        picture.ToRgb(), Path.GetFileName(path) ?? "a cat by Stéfan van der Walt, CC0",
        path is null ? (0.362, 0.388) : (0.5, 0.5),              // the eye of the cat, or the center
        train.Take(options.GetValue(limit)), test, name, options.GetValue(seeds));

    string page = Path.Combine(Directory.CreateDirectory(options.GetValue(output)!).FullName, "step-by-step.html");
    File.WriteAllText(page, Lesson.Write(materials, Console.WriteLine, stop.Token));
    Console.WriteLine($"saved after {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s: {page}");
}
