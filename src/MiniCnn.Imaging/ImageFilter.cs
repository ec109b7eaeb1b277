using System.Globalization;

namespace MiniCnn.Imaging;

/// <summary>
/// A kernel that filters pictures by itself, or stands in a <see cref="Conv2d"/>, to stay there or to start from. As in a Conv2d it is
/// laid over the picture as it is written here, not flipped (cross-correlation). Immutable. The classical ones are <see cref="ImageFilters"/>.
/// </summary>
public sealed class ImageFilter
{
    readonly float[] kernel;    // [kH, kW]

    /// <summary>A kernel of one's own.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="kernel">[kH, kW]; copied.</param>
    /// <param name="description">What it does, in a few words.</param>
    /// <exception cref="ArgumentException">The kernel has no number, or one that is not finite.</exception>
    public ImageFilter(string name, float[,] kernel, string description = "")
        : this(name, kernel is null ? throw new ArgumentNullException(nameof(kernel)) : [.. kernel.Cast<float>()], kernel.GetLength(1), description)
    {
    }

    internal ImageFilter(string name, float[] kernel, int columns, string description)
    {
        if (kernel.Length == 0 || !kernel.All(float.IsFinite)) throw new ArgumentException($"the kernel of {name} must have numbers, and finite ones");
        (Name, this.kernel, Size, Description) = (name, kernel, (kernel.Length / columns, columns), description);
    }

    /// <summary>“sharpen”.</summary>
    public string Name { get; }

    /// <summary>What it does, in a few words.</summary>
    public string Description { get; }

    /// <summary>Rows and columns of the kernel.</summary>
    public Size2d Size { get; }

    /// <summary>The numbers, [kH, kW].</summary>
    public ReadOnlySpan<float> Kernel => kernel;

    /// <summary>
    /// Filters a picture, each channel by itself; below 0 becomes 0 and above 255 becomes 255. For stride, dilation and bias
    /// put the kernel into a Conv2d.
    /// </summary>
    /// <param name="picture">Grey or RGB.</param>
    /// <param name="padding">Pixels added around it; if not given, as many as keep its size.</param>
    /// <param name="paddingMode">What stands there.</param>
    /// <exception cref="ArgumentException">The kernel spans more than the padded picture, or the padding takes more pixels than the picture has.</exception>
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
    /// Puts the kernel into one output channel of a Conv2d, in the middle of what may be a larger kernel; over several input channels
    /// as 1/n of it each, which filters their mean. Set <see cref="Parameter.Trainable"/> to false and it stays; else training starts from it.
    /// </summary>
    /// <param name="weight">[out, in/groups, kH, kW], the weight of a Conv2d.</param>
    /// <param name="outputChannel">From 0 to out − 1.</param>
    /// <exception cref="ArgumentException">The weight is no Conv2d's, or its kernel is smaller, or has no such middle (3 in 4).</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such output channel.</exception>
    public void CopyTo(Parameter weight, int outputChannel)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.Value.Rank != 4)
            throw new ArgumentException($"expected a Conv2d's weight, [out, in, kH, kW], got {weight}");
        ArgumentOutOfRangeException.ThrowIfNegative(outputChannel);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(outputChannel, weight.Value.Lengths[0]);
        (nint inputs, nint height, nint width) = (weight.Value.Lengths[1], weight.Value.Lengths[2], weight.Value.Lengths[3]);
        (nint moreRows, nint moreColumns) = (height - Size.Height, width - Size.Width);
        if (moreRows < 0 || moreColumns < 0 || moreRows % 2 != 0 || moreColumns % 2 != 0)
            throw new ArgumentException($"{Name}, {Size}, does not fit into the middle of {weight}");
        weight.Value.GetSpan([outputChannel, 0, 0, 0], (int)(inputs * height * width)).Clear();
        for (nint i = 0; i < inputs; i++)
            for (int k = 0; k < kernel.Length; k++)
                weight.Value[outputChannel, i, moreRows / 2 + k / Size.Width, moreColumns / 2 + k % Size.Width] = kernel[k] / inputs;
    }

    /// <summary>Turned by 180°: what a mathematician's convolution lays over the picture.</summary>
    public ImageFilter Flipped() => With([.. kernel.Reverse()]);

    /// <summary>Each number over how many there are: the sum of products becomes their mean, 1/k² · Σ.</summary>
    public ImageFilter DividedByArea() => With(Array.ConvertAll(kernel, w => w / kernel.Length));

    /// <summary>Each number over the sum of all, so that they add up to 1 and the picture keeps its brightness.</summary>
    /// <exception cref="ArgumentException">They add up to 0.</exception>
    public ImageFilter DividedBySum()
    {
        float sum = kernel.Sum();
        if (Math.Abs(sum) < 1e-6f * kernel.Sum(Math.Abs) || sum == 0)
            throw new ArgumentException($"the numbers of {Name} add up to 0: it cannot be divided by their sum");
        return With(Array.ConvertAll(kernel, w => w / sum));
    }

    /// <summary>Reads a kernel written as “0 -1 0; -1 5 -1; 0 -1 0”: numbers and blanks, a semicolon between rows; 1/9 is a number too.</summary>
    /// <exception cref="FormatException">It is not that.</exception>
    public static ImageFilter Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        float[][] rows = [.. text.Split(';').Select(row => row.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(Number).ToArray())];
        if (rows[0].Length == 0 || rows.Any(row => row.Length != rows[0].Length))
            throw new FormatException(
                $"“{text}” has rows of {string.Join(", ", rows.Select(row => row.Length))} numbers: a kernel's rows are of one length, at least 1");
        return new("own kernel", [.. rows.SelectMany(row => row)], rows[0].Length, text.Trim());

        float Number(string word)
        {
            string[] parts = word.Split('/');
            float[] numbers = [.. parts.Select(part => float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float n) ? n : float.NaN)];
            float number = numbers is [float over, float under] ? over / under : numbers is [float only] ? only : float.NaN;
            return float.IsFinite(number) ? number : throw new FormatException($"“{word}” is not a number of a kernel");
        }
    }

    /// <summary>“sharpen, 3×3”.</summary>
    public override string ToString() => $"{Name}, {Size}";

    ImageFilter With(float[] numbers) => new(Name, numbers, Size.Width, Description);
}
