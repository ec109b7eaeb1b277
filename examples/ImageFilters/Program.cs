// Filters a photo by a convolution, and shows how kernel, padding, stride and dilation change the photo and its size.
using System.CommandLine;
using System.Globalization;
using System.Numerics.Tensors;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Examples.ImageFilters;
using MiniCnn.Imaging;

Argument<string?> photo = new("photo") { Description = "JPEG, PNG, WebP, GIF or BMP [default: a test card]", Arity = ArgumentArity.ZeroOrOne };
Option<string> kernel = new("--kernel")
{
    Description = "Name of a kernel, or the beginning of its name, or its numbers such as \"0 -1 0; -1 5 -1; 0 -1 0\"",
    DefaultValueFactory = _ => "sharpen",
};
Option<bool> all = new("--all") { Description = "Filter with each named kernel and write one contact sheet" };
Option<string> padding = new("--padding")
{
    Description = "valid (no padding), same (keeps the size; needs stride 1) or the number of pixels on each side",
    DefaultValueFactory = _ => "valid",
};
Option<PaddingMode> paddingMode = new("--padding-mode") { Description = "Values of the padding", DefaultValueFactory = _ => PaddingMode.Zeros };
Option<int> stride = CommandLine.Number("--stride", "Pixels between two outputs", 1, least: 1);
Option<int> dilation = CommandLine.Number("--dilation", "Pixels between two numbers of the kernel", 1, least: 1);
Option<string> normalize = CommandLine.Choice("--normalize", "Divide the kernel by the number of its weights or by their sum", "none", "area", "sum");
Option<bool> flip = new("--flip") { Description = "Rotate the kernel by 180°, as in the mathematical definition of convolution; networks do not" };
Option<float> bias = CommandLine.Number("--bias", "Added to each output, in pixel values from 0 to 255", 0f, least: float.MinValue);
Option<int> repeat = CommandLine.Number("--repeat", "Number of passes over the photo", 1, least: 1);
Option<string> color = CommandLine.Choice("--color", "Filter the photo in grayscale, or its red, green and blue channels separately", "grey", "rgb");
Option<string> size = new("--size") { Description = "WIDTHxHEIGHT in pixels that the photo is resized to", DefaultValueFactory = _ => "224x224" };
Option<bool> keep = new("--keep") { Description = "Keep the size of the photo" };
Option<string> display = CommandLine.Choice("--display", "For values outside 0 to 255: clip them, or rescale all values to 0 to 255", "clip", "rescale");
Option<string> output = TrainingOptions.Output("image-filters", "the pictures");
RootCommand command = new($"""
    Filters a photo by a convolution, as the first layer of a network does, and shows how the photo and its size change.

    Kernels: {Kernels.Names}.

    Examples:
      cat.jpg --kernel sharpen --padding same
      cat.jpg --kernel box-blur-5 --repeat 10
      flower.jpg --keep --kernel "1 1 1; 0 0 0; -1 -1 -1" --flip --display rescale
      flower.jpg --keep --kernel box-blur-5 --padding 2 --stride 2
      --all --padding same --padding-mode replicate
    """)
{
    photo, kernel, all, padding, paddingMode, stride, dilation, normalize, flip, bias, repeat, color, size, keep, display, output,
};
command.SetAction(Run);
return CommandLine.Run(command, args, Check);

// Reports options that do not fit together before the photo is read.
string? Check(ParseResult options)
{
    try
    {
        foreach (ImageFilter filter in Filters(options))
            Convolution(options).Layer(filter, channels: 1);
        Size(options);
        return null;
    }
    catch (Exception e) when (e is ArgumentException or FormatException)
    {
        return e.Message;
    }
}

void Run(ParseResult options)
{
    string? path = options.GetValue(photo);
    (int width, int height) = Size(options);
    Picture before = path is null ? TestCard.Draw(width, height) : Picture.Load(path);
    Console.WriteLine($"{path ?? "no photo given, using a test card"}: {Text(before)} pixels");
    if (options.GetValue(color) == "grey")
        before = before.ToGrey();
    if (!options.GetValue(keep))
        before = before.Resize(width, height);

    (string File, Picture Picture)[] results = options.GetValue(all) ? FilterAll(options, before) : FilterOnce(options, before);
    string folder = Directory.CreateDirectory(options.GetValue(output)!).FullName;
    foreach ((string file, Picture picture) in results)
        picture.Save(Path.Combine(folder, file));
    Console.WriteLine($"saved in {folder}: {string.Join(", ", results.Select(result => result.File))}");
    ImageFilter[] filters = Filters(options);
    Console.WriteLine(options.GetValue(all) ? $"{filters.Length} kernels" : $"{filters[0].Name}: {Text(before)} → {Text(results[0].Picture)}");
}

(string File, Picture Picture)[] FilterAll(ParseResult options, Picture before)
{
    List<(string Title, Picture Picture)> tiles = [("original", before)];
    foreach (ImageFilter filter in Filters(options))
    {
        Picture after = ToPicture(options, Convolution(options).Apply(filter, before.ToTensor()));
        tiles.Add((filter.Name, after));
        Console.WriteLine($"{filter.Name,-18} {Text(before)} → {Text(after)}   {filter.Description}");
    }
    return [("filters.png", ContactSheet.Draw(tiles, columns: 5))];
}

(string File, Picture Picture)[] FilterOnce(ParseResult options, Picture before)
{
    ImageFilter filter = Filters(options)[0];
    Console.WriteLine($"{filter.Name}: {filter.Description}");
    foreach (float[] row in filter.Kernel.ToArray().Chunk(filter.Size.Width))
        Console.WriteLine(string.Concat(row.Select(weight => weight.ToString("0.####", CultureInfo.InvariantCulture).PadLeft(8))));
    Convolution convolution = Convolution(options);
    Tensor<float> y = convolution.Apply(filter, before.ToTensor(), Console.WriteLine);
    Console.WriteLine(FormattableString.Invariant($"values from {255 * Tensor.Min<float>(y):F1} to {255 * Tensor.Max<float>(y):F1}, ")
        + (options.GetValue(display) == "clip" ? "clipped to 0 to 255" : "rescaled to 0 to 255"));
    Picture after = ToPicture(options, y), padded = convolution.Pad(filter, before);
    Console.WriteLine($"with padding, {Text(before)} becomes {Text(padded)}");
    return [("filtered.png", after), ("pair.png", ContactSheet.Pair("before", before, filter.Name, after)), ("padded.png", padded)];
}

Convolution Convolution(ParseResult options) => new(
    options.GetValue(padding)!, options.GetValue(paddingMode), options.GetValue(stride), options.GetValue(dilation), options.GetValue(bias),
    options.GetValue(repeat));

ImageFilter[] Filters(ParseResult options)
{
    bool every = options.GetValue(all);
    IEnumerable<ImageFilter> filters = every ? ImageFilters.All : [Kernels.Find(options.GetValue(kernel)!)];
    return [.. filters.Select(filter =>
    {
        filter = Kernels.Normalize(filter, options.GetValue(normalize)!, skipZeroSums: every);
        return options.GetValue(flip) ? filter.Flipped() : filter;
    })];
}

Picture ToPicture(ParseResult options, Tensor<float> y)
{
    if (options.GetValue(display) == "clip")
        return Picture.FromTensor(y);
    (float low, float high) = (Tensor.Min<float>(y), Tensor.Max<float>(y));
    return Picture.FromTensor((y - low) / (high > low ? high - low : 1));
}

(int Width, int Height) Size(ParseResult options)
{
    string text = options.GetValue(size)!;
    return text.Split('x') is [string first, string second] && int.TryParse(first, out int width) && int.TryParse(second, out int height)
        && width >= 16 && height >= 16 ? (width, height)
        : throw new ArgumentException($"--size must be two numbers of at least 16 such as 224x224, not {text}");
}

static string Text(Picture picture) => $"{picture.Width}×{picture.Height}";
