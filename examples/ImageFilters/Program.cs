// Filters a photo by a convolution, and shows what kernel, padding, stride and dilation make of it and of its size.
using System.CommandLine;
using System.Globalization;
using System.Numerics.Tensors;
using System.Text;
using System.Text.RegularExpressions;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Imaging;

Console.OutputEncoding = Encoding.UTF8;
Argument<string?> photo = new("photo") { Description = "JPEG, PNG, WebP, GIF or BMP; a test card if left out", Arity = ArgumentArity.ZeroOrOne };
Option<string> kernel = new("--kernel")
{
    Description = "A kernel's name, or as much of it as tells it apart, or its numbers, as in \"0 -1 0; -1 5 -1; 0 -1 0\"",
    DefaultValueFactory = _ => "sharpen",
};
Option<bool> all = new("--all") { Description = "A contact sheet of every kernel that has a name" };
Option<string> padding = new("--padding")
{
    Description = "valid (none), same (keeps the size, at stride 1) or pixels on each side",
    DefaultValueFactory = _ => "valid",
};
Option<string> paddingMode = Choice("--padding-mode", "What stands in the padding", "zero", "replicate", "reflect", "circular");
Option<int> stride = new("--stride") { Description = "Pixels from one output to the next", DefaultValueFactory = _ => 1 };
Option<int> dilation = new("--dilation") { Description = "Pixels from one number of the kernel to the next", DefaultValueFactory = _ => 1 };
Option<string> normalize = Choice("--normalize", "Divide the kernel by how many numbers it has (area), or by what they add up to (sum)", "none", "area", "sum");
Option<bool> flip = new("--flip") { Description = "Turn the kernel by 180°, as a mathematician's convolution does; networks do not" };
Option<float> bias = new("--bias") { Description = "Added to every output; a pixel is 0 to 255" };
Option<int> repeat = new("--repeat") { Description = "Times that the kernel goes over the photo", DefaultValueFactory = _ => 1 };
Option<string> color = Choice("--color", "Grey, or red, green and blue each by themselves", "grey", "rgb");
Option<string> size = new("--size") { Description = "WIDTHxHEIGHT that the photo is brought to", DefaultValueFactory = _ => "224x224" };
Option<bool> keep = new("--keep") { Description = "Leave the photo at its own size" };
Option<string> display = Choice("--display", "Values outside of 0 to 255: cut off, or all values brought into it", "clip", "rescale");
Option<string> output = new("--out") { Description = "Folder for the pictures", DefaultValueFactory = _ => Path.Combine("runs", "image-filters") };
RootCommand command = new($"""
    Filters a photo by a convolution, as the first layer of a network does, and shows what becomes of it and of its size.

    Kernels: {string.Join(", ", ImageFilters.All.Select(filter => Key(filter.Name)))}.

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
ParseResult options = command.Parse(args);
command.SetAction(_ => Run());
return CommandLine.Run(command, args, Fault);

// What cannot be is said before the photo is looked for.
string? Fault(ParseResult parsed)
{
    try
    {
        foreach (ImageFilter filter in Filters())
            _ = Layer(filter, 1, PaddingOf(filter), options.GetValue(stride));
        _ = Size();
        return parsed.Below(1, repeat) ?? (float.IsFinite(options.GetValue(bias)) ? null : "--bias must be a number");
    }
    catch (Exception e) when (e is ArgumentException or FormatException)
    {
        return e.Message;
    }
}

int Run()
{
    using CtrlC stop = new();
    (int Width, int Height) to = Size();
    ImageFilter[] filters = Filters();
    string? path = options.GetValue(photo);
    Picture before = path is null ? TestCard.Draw(to.Width, to.Height) : Picture.Load(path);
    Console.WriteLine($"{path ?? "a test card, for want of a photo"}: {Text(before)} pixels");
    if (options.GetValue(color) == "grey")
        before = before.ToGrey();
    if (!options.GetValue(keep))
        before = before.Resize(to.Width, to.Height);

    (string File, Picture Picture)[] results = options.GetValue(all)
        ? [("filters.png", Sheet(filters, before, stop.Token))]
        : One(filters[0], before, stop.Token);
    string folder = Directory.CreateDirectory(options.GetValue(output)!).FullName;
    foreach ((string file, Picture picture) in results)
        picture.Save(Path.Combine(folder, file));
    Console.WriteLine($"saved in {folder}: {string.Join(", ", results.Select(result => result.File))}");
    if (stop.Token.IsCancellationRequested)
    {
        Console.WriteLine("stopped before all was done");
        return 1;
    }
    Console.WriteLine(options.GetValue(all) ? $"{filters.Length} kernels" : $"{filters[0].Name}: {Text(before)} → {Text(results[0].Picture)}");
    return 0;
}

Picture Sheet(ImageFilter[] filters, Picture before, CancellationToken stop)
{
    List<(string Title, Picture Picture)> tiles = [("original", before)];
    foreach (ImageFilter filter in filters)
    {
        tiles.Add((filter.Name, Shown(Filtered(filter, before.ToTensor(), _ => { }, stop))));
        Console.WriteLine($"{filter.Name,-18} {Text(before)} → {Text(tiles[^1].Picture)}   {filter.Description}");
    }
    return ContactSheet.Draw(tiles, columns: 5);
}

(string File, Picture Picture)[] One(ImageFilter filter, Picture before, CancellationToken stop)
{
    Console.WriteLine($"{filter.Name}: {filter.Description}");
    for (int row = 0; row < filter.Size.Height; row++)
        Console.WriteLine(string.Concat(Enumerable.Range(0, filter.Size.Width)
            .Select(column => filter.Kernel[row * filter.Size.Width + column].ToString("0.####", CultureInfo.InvariantCulture).PadLeft(8))));
    Tensor<float> y = Filtered(filter, before.ToTensor(), Console.WriteLine, stop);
    Console.WriteLine(FormattableString.Invariant($"values from {255 * Tensor.Min<float>(y):F1} to {255 * Tensor.Max<float>(y):F1}, ")
        + (options.GetValue(display) == "clip" ? "cut off at 0 and 255" : "brought to 0 to 255"));
    Picture after = Shown(y);

    // A kernel of a single 1 leaves the photo as it is: what comes out is the photo with its padding.
    Picture padded = Picture.FromTensor(Layer(new("one", new float[,] { { 1 } }), before.Channels, PaddingOf(filter)).Forward(before.ToTensor()));
    Console.WriteLine($"with its padding {Text(before)} is {Text(padded)}");
    return [("filtered.png", after), ("pair.png", ContactSheet.Pair("before", before, filter.Name, after)), ("padded.png", padded)];
}

// Each channel by itself, as often as asked for; tells of each time how large what comes out is, and why.
Tensor<float> Filtered(ImageFilter filter, Tensor<float> x, Action<string> tell, CancellationToken stop)
{
    for (int time = 0; time < options.GetValue(repeat) && !stop.IsCancellationRequested; time++)
    {
        Tensor<float> y = Layer(filter, (int)x.Lengths[1], PaddingOf(filter), options.GetValue(stride), options.GetValue(bias) / 255).Forward(x);
        Padding p = PaddingOf(filter);
        tell($"height: {Formula(x.Lengths[2], p.Top, p.Bottom, filter.Size.Height)} = {y.Lengths[2]}");
        tell($"width:  {Formula(x.Lengths[3], p.Left, p.Right, filter.Size.Width)} = {y.Lengths[3]}");
        x = y;
    }
    return x;

    string Formula(nint pixels, int padBefore, int padAfter, int taps) =>
        $"⌊({pixels} + {(padBefore == padAfter ? $"2·{padBefore}" : $"{padBefore} + {padAfter}")} − {options.GetValue(dilation)}·({taps}−1) − 1)"
        + $"/{options.GetValue(stride)}⌋ + 1";
}

Conv2d Layer(ImageFilter filter, int channels, Padding padding = default, int stride = 1, float bias = 0)
{
    PaddingMode mode = options.GetValue(paddingMode) switch
    {
        "replicate" => PaddingMode.Replicate,
        "reflect" => PaddingMode.Reflect,
        "circular" => PaddingMode.Circular,
        _ => PaddingMode.Zeros,
    };
    Conv2d layer = new(channels, channels, filter.Size, stride, padding, options.GetValue(dilation), groups: channels, paddingMode: mode);
    for (int c = 0; c < channels; c++)
    {
        filter.CopyTo(layer.Weight, c);
        layer.Bias!.Value[c] = bias;
    }
    return layer;
}

Padding PaddingOf(ImageFilter filter) => options.GetValue(padding) switch
{
    "valid" => Padding.Valid,
    "same" => Padding.Same(filter.Size, options.GetValue(dilation), options.GetValue(stride)),
    string text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int pixels) => pixels,
    string text => throw new ArgumentException($"--padding must be valid, same or a number of pixels, not {text}"),
    _ => default,
};

ImageFilter[] Filters() => [.. (options.GetValue(all) ? ImageFilters.All : [Named(options.GetValue(kernel)!)]).Select(filter =>
{
    // Among all kernels those of edges add up to 0: they stay as they are.
    bool stays = options.GetValue(all) && Math.Abs(TensorPrimitives.Sum(filter.Kernel)) < 1e-6f;
    filter = options.GetValue(normalize) switch { "area" => filter.DividedByArea(), "sum" when !stays => filter.DividedBySum(), _ => filter };
    return options.GetValue(flip) ? filter.Flipped() : filter;
})];

Picture Shown(Tensor<float> y)
{
    if (options.GetValue(display) == "rescale")
    {
        (float low, float high) = (Tensor.Min<float>(y), Tensor.Max<float>(y));
        y = Tensor.Divide<float>(Tensor.Subtract<float>(y, low), high > low ? high - low : 1);
    }
    return Picture.FromTensor(y);
}

static ImageFilter Named(string text)
{
    if (text.Length > 0 && (char.IsDigit(text[0]) || "+-. ".Contains(text[0], StringComparison.Ordinal)))
        return ImageFilter.Parse(text);
    ImageFilter[] found = [.. ImageFilters.All.Where(filter => Key(filter.Name).StartsWith(Key(text), StringComparison.Ordinal))];
    return found.Length == 1 ? found[0] : throw new ArgumentException(found.Length == 0
        ? $"there is no kernel {text}; there are {string.Join(", ", ImageFilters.All.Select(filter => Key(filter.Name)))}"
        : $"--kernel {text} may be {string.Join(" or ", found.Select(filter => Key(filter.Name)))}");
}

// As one writes it in a command line: “box-blur-3x3”.
static string Key(string name) => name.ToLowerInvariant().Replace(' ', '-').Replace('×', 'x');

(int Width, int Height) Size() =>
    Regex.Match(options.GetValue(size)!, @"^(\d{1,5})[x×](\d{1,5})$") is { Success: true } match
    && int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) is >= 16 and int width
    && int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) is >= 16 and int height
        ? (width, height) : throw new ArgumentException($"--size must be two numbers of at least 16, as in 224x224, not {options.GetValue(size)}");

static string Text(Picture picture) => $"{picture.Width}×{picture.Height}";

static Option<string> Choice(string name, string description, params string[] choices)
{
    Option<string> option = new(name) { Description = description, DefaultValueFactory = _ => choices[0] };
    option.AcceptOnlyFromAmong(choices);
    return option;
}
