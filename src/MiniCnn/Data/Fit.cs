namespace MiniCnn;

/// <summary>
/// How a picture with another aspect ratio is resized to the shape of the model's images. A model file stores it, and the predictor uses it.
/// </summary>
public enum Fit
{
    /// <summary>Resizes the whole picture and changes its aspect ratio.</summary>
    Stretch,

    /// <summary>Resizes the whole picture with its aspect ratio kept, centered, with black bars at two sides, like PIL's <c>ImageOps.pad</c>.</summary>
    Letterbox,

    /// <summary>Crops the largest centered area with the aspect ratio of the image, and resizes it, like PIL's <c>ImageOps.fit</c>.</summary>
    CenterCrop,
}
