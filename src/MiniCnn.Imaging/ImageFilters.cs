namespace MiniCnn.Imaging;

/// <summary>
/// The classical kernels. Edge detectors answer with more than 0 where it is brighter above, or to the left, as Prewitt's do in lectures
/// on convolution; a horizontal one shows horizontal edges.
/// </summary>
/// <remarks>
/// Sources: R. Gonzalez, R. Woods, Digital Image Processing, chapters 3 and 10; J. Prewitt, Object Enhancement and Extraction (1970);
/// I. Sobel, An Isotropic 3×3 Image Gradient Operator (1968, 2014); H. Scharr, Optimale Operatoren in der Digitalen Bildverarbeitung (2000);
/// sharpen, outline, emboss and the Gaussian's numbers as on https://setosa.io/ev/image-kernels.
/// </remarks>
public static class ImageFilters
{
    /// <summary>Leaves the picture as it is.</summary>
    public static ImageFilter Identity { get; } = new("identity", new float[,] { { 0, 0, 0 }, { 0, 1, 0 }, { 0, 0, 0 } }, "the picture as it is");

    /// <summary>The mean of 3×3 pixels.</summary>
    public static ImageFilter BoxBlur3 { get; } = new("box blur 3×3", [.. Enumerable.Repeat(1 / 9f, 9)], columns: 3, "the mean of 3×3 pixels");

    /// <summary>The mean of 5×5 pixels.</summary>
    public static ImageFilter BoxBlur5 { get; } = new("box blur 5×5", [.. Enumerable.Repeat(1 / 25f, 25)], columns: 5, "the mean of 5×5 pixels");

    /// <summary>A mean of 3×3 pixels in which near ones weigh more.</summary>
    public static ImageFilter GaussianBlur { get; } = new(
        "gaussian blur", new[,] { { 1 / 16f, 2 / 16f, 1 / 16f }, { 2 / 16f, 4 / 16f, 2 / 16f }, { 1 / 16f, 2 / 16f, 1 / 16f } },
        "a mean in which near pixels weigh more");

    /// <summary>The picture plus what sets each pixel off from the four around it.</summary>
    public static ImageFilter Sharpen { get; } = new(
        "sharpen", new float[,] { { 0, -1, 0 }, { -1, 5, -1 }, { 0, -1, 0 } }, "what sets a pixel off from its neighbours, added to it");

    /// <summary>What sets each pixel off from the eight around it.</summary>
    public static ImageFilter Outline { get; } = new(
        "outline", new float[,] { { -1, -1, -1 }, { -1, 8, -1 }, { -1, -1, -1 } }, "what sets a pixel off from its eight neighbours");

    /// <summary>A relief, lit from the upper left.</summary>
    public static ImageFilter Emboss { get; } = new(
        "emboss", new float[,] { { -2, -1, 0 }, { -1, 1, 1 }, { 0, 1, 2 } }, "a relief, lit from the upper left");

    /// <summary>Bright above and dark below; the three columns alike.</summary>
    public static ImageFilter PrewittHorizontal { get; } = Edges("prewitt", 1, 1, horizontal: true);

    /// <summary>Bright on the left and dark on the right; the three rows alike.</summary>
    public static ImageFilter PrewittVertical { get; } = Edges("prewitt", 1, 1, horizontal: false);

    /// <summary>As Prewitt's, the middle column twice.</summary>
    public static ImageFilter SobelHorizontal { get; } = Edges("sobel", 1, 2, horizontal: true);

    /// <summary>As Prewitt's, the middle row twice.</summary>
    public static ImageFilter SobelVertical { get; } = Edges("sobel", 1, 2, horizontal: false);

    /// <summary>As Sobel's, with weights for which its answer depends least on the direction of the edge.</summary>
    public static ImageFilter ScharrHorizontal { get; } = Edges("scharr", 3, 10, horizontal: true);

    /// <summary>As Sobel's, with weights for which its answer depends least on the direction of the edge.</summary>
    public static ImageFilter ScharrVertical { get; } = Edges("scharr", 3, 10, horizontal: false);

    /// <summary>∂²/∂x² + ∂²/∂y² in differences of neighbours: positive in a dip, negative on a peak.</summary>
    public static ImageFilter Laplacian { get; } = new(
        "laplacian", new float[,] { { 0, 1, 0 }, { 1, -4, 1 }, { 0, 1, 0 } }, "the second derivative: positive in a dip, negative on a peak");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<ImageFilter> All { get; } =
    [
        Identity, BoxBlur3, BoxBlur5, GaussianBlur, Sharpen, Outline, Emboss,
        PrewittHorizontal, PrewittVertical, SobelHorizontal, SobelVertical, ScharrHorizontal, ScharrVertical, Laplacian,
    ];

    // A difference across the edge, a weighted mean along it.
    static ImageFilter Edges(string name, float side, float middle, bool horizontal) => horizontal
        ? new($"{name} horizontal", new[,] { { side, middle, side }, { 0, 0, 0 }, { -side, -middle, -side } }, "horizontal edges, bright above dark")
        : new($"{name} vertical", new[,] { { side, 0, -side }, { middle, 0, -middle }, { side, 0, -side } }, "vertical edges, bright left of dark");
}
