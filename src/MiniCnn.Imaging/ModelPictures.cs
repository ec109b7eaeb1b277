using System.Collections.Concurrent;
using System.Numerics.Tensors;

namespace MiniCnn.Imaging;

/// <summary>Converts pictures to the input of a model, and predicts their classes or masks.</summary>
public static class ModelPictures
{
    /// <summary>
    /// Converts a picture to the model's input: to grey or RGB, resized by the model's <see cref="Fit"/>, and normalized to (x/255 − mean)/std.
    /// </summary>
    /// <returns>[1, C, H, W], bit-identical to the batch that an <see cref="ImageDataset"/> makes of the picture.</returns>
    public static Tensor<float> ToInput(this ImageModel model, Picture picture)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(picture);
        ImageShape shape = model.Input;
        Tensor<float> x = (shape.Channels == 1 ? picture.ToGrey() : picture.ToRgb()).Resize(shape.Width, shape.Height, model.Fit).ToTensor();
        for (int c = 0; c < shape.Channels; c++)
        {
            Span<float> channel = x.GetSpan([0, c, 0, 0], shape.Height * shape.Width);
            TensorPrimitives.Subtract(channel, model.Mean[c], channel);
            TensorPrimitives.Divide(channel, model.Std[c], channel);
        }
        return x;
    }

    /// <summary>Predicts the class of a picture. Thread-safe.</summary>
    /// <exception cref="NotFiniteNumberException">The network outputs NaN or infinity.</exception>
    public static Prediction Predict(this Predictor predictor, Picture picture)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        return predictor.Predict(predictor.Model.ToInput(picture))[0];
    }

    /// <summary>
    /// Predicts the class of a picture in a stream, a JPEG, PNG, WebP, GIF or BMP file that is read up to the end of the stream. Thread-safe with one
    /// stream per thread.
    /// </summary>
    /// <exception cref="PictureFormatException">The stream has no picture that can be read.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="NotFiniteNumberException">The network outputs NaN or infinity.</exception>
    public static Prediction Predict(this Predictor predictor, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        return predictor.Predict(Picture.Load(stream, predictor.Model.ToInput))[0];
    }

    /// <summary>
    /// Predicts the class of a picture in a stream, for services with many requests at once. Reading the stream blocks no thread. A picture that would exceed
    /// <see cref="Picture.MaxPixelsAtOnce"/> waits, without blocking a thread, until earlier pictures are decoded and resized.
    /// </summary>
    /// <param name="predictor">The predictor.</param>
    /// <param name="stream">A stream of the bytes of a picture file.</param>
    /// <param name="cancellationToken">Cancels the reading and the waiting; for example <c>HttpContext.RequestAborted</c>.</param>
    /// <exception cref="PictureFormatException">The stream has no picture that can be read.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled before the picture was decoded.</exception>
    /// <exception cref="NotFiniteNumberException">The network outputs NaN or infinity.</exception>
    public static async Task<Prediction> PredictAsync(this Predictor predictor, Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        Tensor<float> x = await Picture.LoadAsync(stream, predictor.Model.ToInput, cancellationToken).ConfigureAwait(false);
        return predictor.Predict(x)[0];
    }

    /// <summary>
    /// Predicts the class of each picture in a folder and its subfolders, on all threads. The results are in the ordinal order of the paths.
    /// </summary>
    /// <param name="predictor">The predictor.</param>
    /// <param name="path">Path of the folder.</param>
    /// <param name="progress">Called after each file, by one thread at a time, with the number of files done and the total.</param>
    /// <param name="cancellationToken">Cancels the predictions.</param>
    /// <returns>
    /// For each file except hidden ones, its prediction or the reason why there is none: the file is not a picture, it cannot be read, or the network outputs
    /// NaN or infinity. The predictions start when the result is enumerated, and the threads run ahead of the enumeration. Each enumeration predicts again.
    /// </returns>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="InvalidDataException">The folder has no files.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to a folder is denied.</exception>
    /// <exception cref="ArgumentException">The network was changed and no longer fits the model's input or classes.</exception>
    /// <exception cref="OperationCanceledException">The predictions were cancelled.</exception>
    public static IEnumerable<FilePrediction> PredictFolder(
        this Predictor predictor, string path, IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        PictureFolder.Check(path);
        predictor.Model.CheckOutput();
        (string Name, string? Fault)[] files = [.. PictureFolder.List(path).OrderBy(file => file.Name, StringComparer.Ordinal)];
        if (files.Length == 0)
            throw new InvalidDataException($"{path}: the folder has no files");
        return Predictions();

        IEnumerable<FilePrediction> Predictions()
        {
            int done = 0;
            Lock reporting = new();
            using IEnumerator<FilePrediction> predictions = Partitioner.Create(files, loadBalance: true).AsParallel().AsOrdered()
                .WithDegreeOfParallelism(Math.Min(Workers.Count, 512)).WithCancellation(cancellationToken)
                .WithMergeOptions(ParallelMergeOptions.NotBuffered).Select(Of).GetEnumerator();
            while (PictureFolder.AsItself(predictions.MoveNext))
                yield return predictions.Current;

            FilePrediction Of((string Name, string? Fault) file)
            {
                Prediction? prediction = null;
                string? reason = file.Fault ?? PictureFolder.FaultOf(() => prediction = PictureFolder.Read(Path.Combine(path, file.Name), predictor.Predict));
                if (progress is not null)
                    lock (reporting)
                        progress.Report((++done, files.Length));
                return new(file.Name, prediction, reason);
            }
        }
    }

    /// <summary>
    /// Predicts the class of each pixel. The class probabilities are resized bilinearly from the model's size to the size of the picture; each pixel gets the
    /// class with the largest probability. Pixels outside of a <see cref="Fit.CenterCrop"/> are <see cref="MaskedImages.Ignored"/>, 255. Thread-safe.
    /// </summary>
    /// <returns>A grey picture of class indices, of the size of <paramref name="picture"/>. Save it as a PNG.</returns>
    /// <exception cref="NotFiniteNumberException">The network outputs NaN or infinity.</exception>
    public static Picture Predict(this MaskPredictor predictor, Picture picture)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        ReadOnlySpan<float> shares = predictor.Predict(predictor.Model.ToInput(picture)).AsSpan();         // [1, classes, H, W]
        (int height, int width) = (predictor.Model.Input.Height, predictor.Model.Input.Width);
        Picture mask = new(picture.Width, picture.Height, channels: 1);
        Array.Fill(mask.Pixels, MaskedImages.Ignored);
        Placement place = Placement.Of(predictor.Model.Fit, picture.Width, picture.Height, width, height);
        float[] best = new float[mask.Width];
        (int Left, int Next, float Right)?[] columns =
            [.. Enumerable.Range(0, mask.Width).Select(x => Between(x, place.X0, place.X1, place.Left, place.Width))];
        for (int y = 0; y < mask.Height; y++)
        {
            Array.Clear(best);
            if (Between(y, place.Y0, place.Y1, place.Top, place.Height) is not var (top, bottom, down))
                continue;
            for (int c = 0; c < predictor.Model.ClassNames.Count; c++)
            {
                ReadOnlySpan<float> above = shares.Slice((c * height + top) * width, width), below = shares.Slice((c * height + bottom) * width, width);
                for (int x = 0; x < mask.Width; x++)
                {
                    if (columns[x] is not var (left, next, right))
                        continue;
                    float share = float.Lerp(float.Lerp(above[left], above[next], right), float.Lerp(below[left], below[next], right), down);
                    if (share > best[x])
                        (best[x], mask.Pixels[y * mask.Width + x]) = (share, (byte)c);
                }
            }
        }
        return mask;
    }

    /// <summary>
    /// Predicts the masks of all photos in a folder and its subfolders, on all threads, and writes them to another folder. The mask of <c>a/1.jpg</c> is
    /// <c>a/1.png</c>, as in a <see cref="MaskedImageFolder"/>.
    /// </summary>
    /// <param name="predictor">The predictor.</param>
    /// <param name="pictures">Path of the folder of photos.</param>
    /// <param name="masks">Path of the folder of masks. It is created if it does not exist. Existing files are not overwritten.</param>
    /// <param name="resume">Whether to skip photos that already have a mask, to resume after a cancellation or to fill gaps.</param>
    /// <param name="progress">Called after each photo, by one thread at a time, with the number of photos done and the total.</param>
    /// <param name="cancellationToken">Cancels the writing. Masks that are already written are complete and are kept.</param>
    /// <returns>
    /// The files without a mask and the reason: the file is not a photo or cannot be read, the mask cannot be written, or the network outputs NaN or infinity.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// The folders are the same, or one is inside the other; or the network was changed and no longer fits the model's input or classes.
    /// </exception>
    /// <exception cref="DirectoryNotFoundException">The folder of photos does not exist.</exception>
    /// <exception cref="InvalidDataException">There are no photos, or two photos would have the same mask.</exception>
    /// <exception cref="IOException">A mask already exists and <paramref name="resume"/> is false. Nothing is written.</exception>
    /// <exception cref="OperationCanceledException">The writing was cancelled.</exception>
    public static IReadOnlyList<SkippedFile> PredictFolder(
        this MaskPredictor predictor, string pictures, string masks, bool resume = false, IProgress<(int Done, int Total)>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        ArgumentException.ThrowIfNullOrEmpty(masks);
        PictureFolder.CheckApart(pictures, masks);
        predictor.Model.CheckOutput();
        (string[] all, SkippedFile[] others) = MaskedImageFolder.Pictured(pictures);
        string[] files = [.. all.Where(name => !resume || !File.Exists(To(name)))];
        if (files.FirstOrDefault(name => File.Exists(To(name))) is string there)
            throw new IOException($"{To(there)}: the mask already exists; resume: true keeps it and writes the missing ones, or use another folder");
        foreach (string folder in files.Select(name => Path.GetDirectoryName(To(name))!).Distinct())
            Directory.CreateDirectory(folder);
        return [.. others, .. PictureFolder.ReadAll(pictures, files, Predict, strict: false, progress, cancellationToken).Skipped];

        void Predict(int i) => predictor.Predict(PictureFolder.Read(Path.Combine(pictures, files[i]), Picture.Load)).Save(To(files[i]));

        string To(string name) => Path.Combine(masks, MaskedImageFolder.MaskOf(name));
    }

    /// <summary>
    /// Maps a pixel of the picture to the model's image, in one dimension: the part from <paramref name="start"/> to <paramref name="end"/> of the picture is
    /// shown by <paramref name="count"/> pixels of the image, beginning with <paramref name="from"/>. Returns the two pixels of the image with the nearest
    /// centers and the weight of the second one; null if the pixel is outside that part.
    /// </summary>
    static (int First, int Second, float Share)? Between(int pixel, float start, float end, int from, int count)
    {
        float middle = pixel + 0.5f, place = Math.Clamp((middle - start) * count / (end - start) - 0.5f, 0, count - 1);
        return middle < start || middle > end ? null : (from + (int)place, from + Math.Min((int)place + 1, count - 1), place - (int)place);
    }
}
