using System.Globalization;

namespace MiniCnn.Imaging;

/// <summary>
/// A kernel that filters pictures on its own, or that is copied into a <see cref="Conv2d"/>, as fixed or initial weights. As in a Conv2d,
/// the kernel is not flipped (cross-correlation). Immutable. Classical kernels are in <see cref="ImageFilters"/>.
/// </summary>
public sealed class ImageFilter
{
    readonly float[] kernel;    // [kH, kW]

    /// <summary>Creates a filter with the given kernel.</summary>
    /// <param name="name">Name of the filter.</param>
    /// <param name="kernel">[kH, kW]; copied.</param>
    /// <param name="description">Short description of its effect.</param>
    /// <exception cref="ArgumentException">The kernel is empty, or a number in it is not finite.</exception>
    public ImageFilter(string name, float[,] kernel, string description = "")
        : this(name, kernel is null ? throw new ArgumentNullException(nameof(kernel)) : [.. kernel.Cast<float>()], kernel.GetLength(1), description)
    {
    }

    internal ImageFilter(string name, float[] kernel, int columns, string description)
    {
        if (kernel.Length == 0 || !kernel.All(float.IsFinite)) throw new ArgumentException($"the kernel of {name} must have numbers, all of them finite");
        (Name, this.kernel, Size, Description) = (name, kernel, (kernel.Length / columns, columns), description);
    }

    /// <summary>Name of the filter, such as “sharpen”.</summary>
    public string Name { get; }

    /// <summary>Short description of its effect.</summary>
    public string Description { get; }

    /// <summary>Number of rows and columns of the kernel.</summary>
    public Size2d Size { get; }

    /// <summary>The numbers of the kernel, [kH, kW].</summary>
    public ReadOnlySpan<float> Kernel => kernel;

    /// <summary>
    /// Filters each channel of a picture separately. Results are rounded and clamped to 0 to 255. For stride, dilation and bias,
    /// copy the kernel into a Conv2d; see <see cref="CopyTo"/>.
    /// </summary>
    /// <param name="picture">Grey or RGB.</param>
    /// <param name="padding">Pixels added around the picture. The default keeps the size of the picture.</param>
    /// <param name="paddingMode">Values of the padding.</param>
    /// <exception cref="ArgumentException">The kernel is larger than the padded picture, or the padding needs more pixels than the picture has.</exception>
    public Picture Apply(Picture picture, Padding? padding = null, PaddingMode paddingMode = PaddingMode.Zeros)
    {
        ArgumentNullException.ThrowIfNull(picture);
        int channels = picture.Channels;
        Conv2d convolution = new(
            channels, channels, Size, padding: padding ?? Padding.Same(Size), groups: channels, bias: false, paddingMode: paddingMode);
        for (int c = 0; c < channels; c++)
            CopyTo(convolution.Weight, c);
        return Picture.FromTensor(convolution.Forward(picture.ToTensor()));
    }

    /// <summary>
    /// Copies the kernel into one output channel of a Conv2d, centered if that kernel is larger; the other weights of the channel become 0. With n input
    /// channels each gets 1/n of the kernel, which filters their mean. To keep the kernel fixed, set <see cref="Parameter.Trainable"/> to false;
    /// otherwise training starts from it.
    /// </summary>
    /// <param name="weight">The weight of a Conv2d, [out, in/groups, kH, kW].</param>
    /// <param name="outputChannel">Index of the output channel, 0 to out − 1.</param>
    /// <exception cref="ArgumentException">
    /// The weight does not have four dimensions, its kernel is smaller, or this kernel cannot be centered in it (such as 3 in 4).
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The output channel does not exist.</exception>
    public void CopyTo(Parameter weight, int outputChannel)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.Value.Rank != 4)
            throw new ArgumentException($"expected the weight of a Conv2d, [out, in, kH, kW], got {weight}");
        ArgumentOutOfRangeException.ThrowIfNegative(outputChannel);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(outputChannel, weight.Value.Lengths[0]);
        (nint inputs, nint height, nint width) = (weight.Value.Lengths[1], weight.Value.Lengths[2], weight.Value.Lengths[3]);
        (nint moreRows, nint moreColumns) = (height - Size.Height, width - Size.Width);
        if (moreRows < 0 || moreColumns < 0 || moreRows % 2 != 0 || moreColumns % 2 != 0)
            throw new ArgumentException($"{Name}, {Size}, cannot be centered in {weight}: the kernel must be at least as large, and larger by an even number");
        weight.Value.GetSpan([outputChannel, 0, 0, 0], (int)(inputs * height * width)).Clear();
        for (nint i = 0; i < inputs; i++)
            for (int k = 0; k < kernel.Length; k++)
                weight.Value[outputChannel, i, moreRows / 2 + k / Size.Width, moreColumns / 2 + k % Size.Width] = kernel[k] / inputs;
    }

    /// <summary>The kernel rotated by 180°, as the mathematical convolution applies it.</summary>
    public ImageFilter Flipped() => With([.. kernel.Reverse()]);

    /// <summary>The kernel divided by the count of its numbers, kH · kW: the sum of products becomes their mean.</summary>
    public ImageFilter DividedByArea() => With(Array.ConvertAll(kernel, w => w / kernel.Length));

    /// <summary>The kernel divided by the sum of its numbers. They then add up to 1, so the filtered picture keeps its brightness.</summary>
    /// <exception cref="ArgumentException">The numbers add up to 0.</exception>
    public ImageFilter DividedBySum()
    {
        float sum = kernel.Sum();
        if (Math.Abs(sum) < 1e-6f * kernel.Sum(Math.Abs) || sum == 0)
            throw new ArgumentException($"the numbers of {Name} add up to 0: it cannot be divided by their sum");
        return With(Array.ConvertAll(kernel, w => w / sum));
    }

    /// <summary>
    /// Parses a kernel such as “0 -1 0; -1 5 -1; 0 -1 0”: numbers separated by spaces, rows separated by semicolons. Fractions such as 1/9 are allowed.
    /// </summary>
    /// <exception cref="FormatException">A word is not a finite number, or the rows are empty or differ in length.</exception>
    public static ImageFilter Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        float[][] rows = [.. text.Split(';').Select(row => row.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(Number).ToArray())];
        if (rows[0].Length == 0 || rows.Any(row => row.Length != rows[0].Length))
            throw new FormatException(
                $"expected kernel rows of equal length, at least 1, got “{text}” with rows of {string.Join(", ", rows.Select(row => row.Length))} numbers");
        return new("own kernel", [.. rows.SelectMany(row => row)], rows[0].Length, text.Trim());

        float Number(string word)
        {
            string[] parts = word.Split('/');
            float[] numbers = [.. parts.Select(part => float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float n) ? n : float.NaN)];
            float number = numbers is [float over, float under] ? over / under : numbers is [float only] ? only : float.NaN;
            return float.IsFinite(number) ? number : throw new FormatException($"expected a finite number in the kernel, such as 2, -0.5 or 1/9, got “{word}”");
        }
    }

    /// <summary>Name and size, such as “sharpen, 3×3”.</summary>
    public override string ToString() => $"{Name}, {Size}";

    ImageFilter With(float[] numbers) => new(Name, numbers, Size.Width, Description);
}
