using System.Numerics.Tensors;

namespace MiniCnn.Imaging;

/// <summary>Pictures as a model takes them: in its colours, its size and its scale.</summary>
public static class ModelPictures
{
    /// <summary>A picture as the model's images are: in grey or in colour, resized whatever its proportions, (x/255 − mean)/std.</summary>
    /// <returns>[1, C, H, W]: the numbers that <see cref="LabeledImages"/> makes of it.</returns>
    public static Tensor<float> ToInput(this ImageClassifier model, Picture picture)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(picture);
        ImageShape shape = model.Input;
        Tensor<float> x = (shape.Channels == 1 ? picture.ToGrey() : picture.ToRgb()).Resize(shape.Width, shape.Height).ToTensor();
        for (int c = 0; c < shape.Channels; c++)
        {
            Span<float> channel = x.GetSpan([0, c, 0, 0], shape.Height * shape.Width);
            TensorPrimitives.Subtract(channel, model.Mean[c], channel);
            TensorPrimitives.Divide(channel, model.Std[c], channel);
        }
        return x;
    }

    /// <summary>What a picture shows. Safe from several threads at once.</summary>
    public static Prediction Predict(this Predictor predictor, Picture picture)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        return predictor.Predict(predictor.Model.ToInput(picture))[0];
    }

    /// <summary>
    /// What a picture in a stream shows: JPEG, PNG, WebP, GIF or BMP, up to the stream's end. Safe from several threads at once, each with its own
    /// stream.
    /// </summary>
    /// <exception cref="PictureFormatException">The stream holds no picture that can be read.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static Prediction Predict(this Predictor predictor, Stream stream) => Predict(predictor, Picture.Load(stream));
}
