namespace MiniCnn.Imaging;

/// <summary>
/// Classical kernels. The horizontal edge detectors find horizontal edges, with positive values where the picture is brighter above; the vertical ones find
/// vertical edges, with positive values where it is brighter on the left.
/// </summary>
/// <remarks>
/// Sources: R. Gonzalez, R. Woods, Digital Image Processing, chapters 3 and 10; J. Prewitt, Object Enhancement and Extraction (1970);
/// I. Sobel, An Isotropic 3×3 Image Gradient Operator (1968, 2014); H. Scharr, Optimale Operatoren in der Digitalen Bildverarbeitung (2000);
/// sharpen, outline, emboss and the Gaussian kernel as on https://setosa.io/ev/image-kernels.
/// </remarks>
public static class ImageFilters
{
    /// <summary>Leaves the picture unchanged.</summary>
    public static ImageFilter Identity { get; } = new("identity", new float[,] { { 0, 0, 0 }, { 0, 1, 0 }, { 0, 0, 0 } }, "the unchanged picture");

    /// <summary>The mean of 3×3 pixels.</summary>
    public static ImageFilter BoxBlur3 { get; } = new("box blur 3×3", [.. Enumerable.Repeat(1 / 9f, 9)], columns: 3, "the mean of 3×3 pixels");

    /// <summary>The mean of 5×5 pixels.</summary>
    public static ImageFilter BoxBlur5 { get; } = new("box blur 5×5", [.. Enumerable.Repeat(1 / 25f, 25)], columns: 5, "the mean of 5×5 pixels");

    /// <summary>A weighted mean of 3×3 pixels in which near pixels have larger weights.</summary>
    public static ImageFilter GaussianBlur { get; } = new(
        "gaussian blur", new[,] { { 1 / 16f, 2 / 16f, 1 / 16f }, { 2 / 16f, 4 / 16f, 2 / 16f }, { 1 / 16f, 2 / 16f, 1 / 16f } },
        "a weighted mean in which near pixels have larger weights");

    /// <summary>Adds to each pixel its differences from its four neighbors.</summary>
    public static ImageFilter Sharpen { get; } = new(
        "sharpen", new float[,] { { 0, -1, 0 }, { -1, 5, -1 }, { 0, -1, 0 } }, "adds to a pixel its differences from its four neighbors");

    /// <summary>The sum of the differences of each pixel from its eight neighbors.</summary>
    public static ImageFilter Outline { get; } = new(
        "outline", new float[,] { { -1, -1, -1 }, { -1, 8, -1 }, { -1, -1, -1 } }, "the differences of a pixel from its eight neighbors");

    /// <summary>A relief, lit from the upper left.</summary>
    public static ImageFilter Emboss { get; } = new(
        "emboss", new float[,] { { -2, -1, 0 }, { -1, 1, 1 }, { 0, 1, 2 } }, "a relief, lit from the upper left");

    /// <summary>Horizontal edges, bright above dark: the rows are 1 1 1, 0 0 0 and −1 −1 −1.</summary>
    public static ImageFilter PrewittHorizontal { get; } = Edges("prewitt", 1, 1, horizontal: true);

    /// <summary>Vertical edges, bright left of dark: each row is 1 0 −1.</summary>
    public static ImageFilter PrewittVertical { get; } = Edges("prewitt", 1, 1, horizontal: false);

    /// <summary>As <see cref="PrewittHorizontal"/>, with the middle column doubled.</summary>
    public static ImageFilter SobelHorizontal { get; } = Edges("sobel", 1, 2, horizontal: true);

    /// <summary>As <see cref="PrewittVertical"/>, with the middle row doubled.</summary>
    public static ImageFilter SobelVertical { get; } = Edges("sobel", 1, 2, horizontal: false);

    /// <summary>As <see cref="SobelHorizontal"/>, with the weights 3, 10, 3, for which the result depends least on the direction of the edge.</summary>
    public static ImageFilter ScharrHorizontal { get; } = Edges("scharr", 3, 10, horizontal: true);

    /// <summary>As <see cref="SobelVertical"/>, with the weights 3, 10, 3, for which the result depends least on the direction of the edge.</summary>
    public static ImageFilter ScharrVertical { get; } = Edges("scharr", 3, 10, horizontal: false);

    /// <summary>∂²/∂x² + ∂²/∂y² as finite differences: positive in a minimum, negative at a maximum.</summary>
    public static ImageFilter Laplacian { get; } = new(
        "laplacian", new float[,] { { 0, 1, 0 }, { 1, -4, 1 }, { 0, 1, 0 } }, "the second derivative: positive in a minimum, negative at a maximum");

    /// <summary>All kernels of this class.</summary>
    public static IReadOnlyList<ImageFilter> All { get; } =
    [
        Identity, BoxBlur3, BoxBlur5, GaussianBlur, Sharpen, Outline, Emboss,
        PrewittHorizontal, PrewittVertical, SobelHorizontal, SobelVertical, ScharrHorizontal, ScharrVertical, Laplacian,
    ];

    // A difference across the edge, multiplied by a weighted mean along it.
    static ImageFilter Edges(string name, float side, float middle, bool horizontal) => horizontal
        ? new($"{name} horizontal", new[,] { { side, middle, side }, { 0, 0, 0 }, { -side, -middle, -side } }, "horizontal edges, bright above dark")
        : new($"{name} vertical", new[,] { { side, 0, -side }, { middle, 0, -middle }, { side, 0, -side } }, "vertical edges, bright left of dark");
}
