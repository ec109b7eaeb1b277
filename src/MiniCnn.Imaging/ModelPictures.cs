using System.Collections.Concurrent;
using System.Numerics.Tensors;

namespace MiniCnn.Imaging;

/// <summary>Pictures as a model takes them: in its colours, its size and its scale.</summary>
public static class ModelPictures
{
    /// <summary>
    /// A picture as the model's images are: in grey or in colour, brought to their size by the model's <see cref="Fit"/>, (x/255 − mean)/std.
    /// </summary>
    /// <returns>[1, C, H, W]: the numbers that <see cref="ImageDataset"/> makes of it.</returns>
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
    public static Prediction Predict(this Predictor predictor, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        return predictor.Predict(Picture.Load(stream, predictor.Model.ToInput))[0];
    }

    /// <summary>
    /// The same for a service, which has many at once: the stream is read without a thread, and a picture that would pass
    /// <see cref="Picture.MaxPixelsAtOnce"/> waits without one until those before it have the model's size.
    /// </summary>
    /// <param name="predictor">What tells.</param>
    /// <param name="stream">A stream of a picture's bytes.</param>
    /// <param name="cancellationToken">Ends the reading and the waiting, such as <c>HttpContext.RequestAborted</c>.</param>
    /// <exception cref="PictureFormatException">The stream holds no picture that can be read.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled before the picture was decoded.</exception>
    public static async Task<Prediction> PredictAsync(this Predictor predictor, Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        Tensor<float> x = await Picture.LoadAsync(stream, predictor.Model.ToInput, cancellationToken).ConfigureAwait(false);
        return predictor.Predict(x)[0];
    }

    /// <summary>
    /// What each picture of a folder, and of those below it, shows: on all threads, in the ordinal order of their paths, as they are asked for.
    /// </summary>
    /// <param name="predictor">What tells.</param>
    /// <param name="path">The folder.</param>
    /// <param name="progress">Called after each file, by one thread at a time: how many are done, and of how many.</param>
    /// <param name="cancellationToken">Ends the predictions.</param>
    /// <returns>
    /// For each file, but for hidden ones, its prediction or why there is none: it is no picture, cannot be read, or the network makes NaN of it. Nothing is
    /// done before it is enumerated; the threads then run ahead, and each enumeration predicts again.
    /// </returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">There are no files.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder may not be read.</exception>
    /// <exception cref="ArgumentException">The network was changed and does not fit any more.</exception>
    /// <exception cref="OperationCanceledException">The predictions were cancelled.</exception>
    public static IEnumerable<FilePrediction> PredictFolder(
        this Predictor predictor, string path, IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        PictureFolder.Check(path);
        predictor.Model.CheckOutput();
        (string Name, string? Fault)[] files = [.. PictureFolder.List(path).OrderBy(file => file.Name, StringComparer.Ordinal)];
        if (files.Length == 0)
            throw new InvalidDataException($"{path}: there are no files");
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
    /// Predicts the class of each pixel: a grey picture of the picture's size whose values are class indices, to be saved as a PNG. The probabilities are
    /// resized from the model's size to the picture's, bilinearly, and a pixel is of the class that has the largest; those that a
    /// <see cref="Fit.CenterCrop"/> cuts off are <see cref="MaskedImages.Ignored"/>, 255. Safe from several threads at once.
    /// </summary>
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
    /// Writes a folder of masks for one of photos, on all threads: for <c>a/1.jpg</c> <c>a/1.png</c>, as <see cref="MaskedImageFolder"/> reads it.
    /// </summary>
    /// <param name="predictor">What tells.</param>
    /// <param name="pictures">The folder of photos, and of folders of photos.</param>
    /// <param name="masks">The folder of masks; it is made if it is not there. No file in it is overwritten.</param>
    /// <param name="resume">Whether masks that are there already are kept and their photos passed over: to go on after an end, or to fill gaps.</param>
    /// <param name="progress">Called after each photo, by one thread at a time: how many are done, and of how many.</param>
    /// <param name="cancellationToken">Ends the writing; masks that are written by then are whole, and stay.</param>
    /// <returns>
    /// The files that have no mask, and why: they are no photos, cannot be read, their mask cannot be written, or the network makes NaN of them.
    /// </returns>
    /// <exception cref="ArgumentException">The folders are one, or one is in the other; or the network does not fit any more.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder of photos.</exception>
    /// <exception cref="InvalidDataException">There are no photos, or two would have the same mask.</exception>
    /// <exception cref="IOException">A mask is there already, and this does not resume; nothing was written.</exception>
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
            throw new IOException($"{To(there)}: there is a mask already; resume: true keeps it and makes those that are missing, or give another folder");
        foreach (string folder in files.Select(name => Path.GetDirectoryName(To(name))!).Distinct())
            Directory.CreateDirectory(folder);
        return [.. others, .. PictureFolder.ReadAll(pictures, files, Predict, strict: false, progress, cancellationToken).Skipped];

        void Predict(int i) => predictor.Predict(PictureFolder.Read(Path.Combine(pictures, files[i]), Picture.Load)).Save(To(files[i]));

        string To(string name) => Path.Combine(masks, MaskedImageFolder.MaskOf(name));
    }

    /// <summary>
    /// Of a line of so many pixels from a place on, which shows a picture's line from start to end, the two between whose middles that of the picture's
    /// pixel lies, and how far from the first; null if it is not shown.
    /// </summary>
    static (int First, int Second, float Share)? Between(int pixel, float start, float end, int from, int count)
    {
        float middle = pixel + 0.5f, place = Math.Clamp((middle - start) * count / (end - start) - 0.5f, 0, count - 1);
        return middle < start || middle > end ? null : (from + (int)place, from + Math.Min((int)place + 1, count - 1), place - (int)place);
    }
}
