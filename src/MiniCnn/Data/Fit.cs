namespace MiniCnn;

/// <summary>
/// How a picture of other proportions is brought to the size of a model's images. A model's file holds it, and its predictor does the same.
/// </summary>
public enum Fit
{
    /// <summary>The whole picture, stretched or squeezed.</summary>
    Stretch,

    /// <summary>The whole picture in its own proportions, in the middle, with black bars at two sides: PIL's <c>ImageOps.pad</c>.</summary>
    Letterbox,

    /// <summary>As much of the picture's middle as has the image's proportions; the rest is cut off: PIL's <c>ImageOps.fit</c>.</summary>
    CenterCrop,
}
