using System.Numerics.Tensors;
using System.Xml.Linq;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Reports;

/// <summary>The sections about images: images per class, files that were not read, augmented samples, and the predictions for scored sets.</summary>
sealed class ImageSections(RunReport run)
{
    const int Samples = 24, Mistakes = 12, Right = 12, Overlays = 9, NamedFiles = 100;

    readonly Dictionary<Scored, XElement?> scores = [];          // each section is created only once: sets are scored after the run
    XElement? samples;

    public XElement? Data() => Page.Section("data", "Images", () =>
    {
        (string Name, ImageDataset Images)[] sets =
        [
            ("training", run.Train), .. run.Trainer.Validation is ImageDataset validation ? [("validation", validation)] : Array.Empty<(string, ImageDataset)>(),
            .. run.Sets.Where(set => set.Images != run.Trainer.Validation).Select(set => (set.Name, set.Images)),
        ];
        long[][] counts = [.. sets.Select(set => set.Images.CountLabels())];
        string what = run.Train is MaskedImages ? "Pixels" : "Images";
        return
        [
            Table($"{what} per class", ["class", .. sets.Select(set => set.Name)],
                Enumerable.Range(0, run.Train.Classes).Select(c => counts.Select(count => (object?)$"{count[c]}").Prepend(run.Train.ClassNames[c]))),
            Skipped(),
            samples ??= H("div", H("h3", run.Trainer.Augmentation is null ? "Samples" : "Augmented samples, as the network sees them"), H("div.photos", Augmented())),
        ];
    });

    XElement? Skipped()
    {
        if (run.Skipped.Count == 0)
            return null;
        string more = run.Skipped.Count > NamedFiles ? $", the first {NamedFiles}" : "";
        return H("details", H("summary", run.Skipped.Count == 1 ? "1 file was not read" : $"{run.Skipped.Count} files were not read"), Table($"Files that were not read{more}", ["file", "class", "reason"],
            run.Skipped.Take(NamedFiles).Select(file => new object?[] { file.Name, file.ClassName ?? "–", file.Reason })));
    }

    /// <summary>The first images of the first epoch, augmented.</summary>
    IEnumerable<XElement> Augmented()
    {
        ImageDataset train = run.Train;
        Batch batch = train.Batches(Math.Min(Samples, train.Count), Trainer.EpochSeed(run.Trainer.Seed, 0), run.Trainer.Augmentation).First();
        int pixels = batch.Labels.Length / (int)batch.Images.Lengths[0];
        for (int i = 0; i < batch.Images.Lengths[0]; i++)
        {
            Picture picture = Pictures.Of(train, batch.Images, i);
            yield return train is MaskedImages
                ? Pictures.Figure(MaskOverlay.Draw(picture, Mask(train.Shape, batch.Labels.AsSpan(i * pixels, pixels))), Named(i))
                : Pictures.Figure(picture, train.ClassNames[batch.Labels[i]]);
        }

        // The names of the classes in a mask.
        object?[] Named(int i) => [.. batch.Labels.Skip(i * pixels).Take(pixels).Distinct().Where(label => label != MaskedImages.IgnoredLabel).Order()
            .Select((label, k) => new object?[] { k == 0 ? null : ", ", H("bdi", train.ClassNames[label]) })];
    }

    /// <summary>The scores and predictions of a set that was scored after the run.</summary>
    public XElement? Scores(Scored set)
    {
        if (!scores.TryGetValue(set, out XElement? section))
        {
            string title = $"{char.ToUpperInvariant(set.Name.FirstOrDefault(' '))}{(set.Name is "" ? "" : set.Name[1..])} images";
            scores[set] = section = Page.Section($"set-{scores.Count}", title, () => [.. ScoreTables.Of(set.Evaluation), .. set.Images is MaskedImages ? Masks(set) : Looks(set)]);
        }
        return section is null ? null : new(section);
    }

    IEnumerable<XElement?> Looks(Scored set)
    {
        int[] wrong = [.. set.Surest(right: false).Take(Mistakes)];
        yield return H("p", "Next to each image: the regions of the last feature maps that support the predicted class (Grad-CAM, if the network has "
            + "feature maps), and the pixels with the largest influence on its logit (saliency).");
        yield return H("h3", "The most confident mistakes");
        yield return wrong is [] ? H("p", "None: all images are classified correctly.") : H("div.photos", wrong.Select(image => Look(set, image)));
        LabeledImages labeled = (LabeledImages)set.Images;
        int[] right = [.. set.Surest(right: true).DistinctBy(image => labeled.Labels[image]).Take(Right).OrderBy(image => labeled.Labels[image])];
        yield return right is [] ? null : H("h3", "The most confident correct prediction of each class");
        yield return right is [] ? null : H("div.photos", right.Select(image => Look(set, image)));
    }

    /// <summary>An image with its Grad-CAM (if there is one) and saliency maps, its class and its prediction.</summary>
    XElement Look(Scored set, int image)
    {
        string label = set.Images.ClassNames[((LabeledImages)set.Images).Labels[image]];
        (int guess, float certainty) = set[image];
        string taken = set.Images.ClassNames[guess];
        Picture picture = Pictures.Of(set.Images, image);
        Tensor<float> x = Pictures.Input(set.Images, image);
        float[,]? map = Looking.GradCam(run.Trainer.Model, x, guess);
        return H(
            "figure.photo", Pictures.Photo(picture), map is null ? null : Pictures.Photo(HeatMap.Over(picture, map)),
            Pictures.Photo(HeatMap.Tile(Looking.Saliency(run.Trainer.Model, x, guess))),
            H("figcaption", H("bdi", label), taken == label ? null : new object[] { ", predicted as ", H("bdi", taken) }, FormattableString.Invariant($", {100 * certainty:F1} %"),
                run.FileOf(set.Images, image) is string file ? H("span.file", file) : null));
    }

    /// <summary>The photos with the most wrong pixels, each with its mask and the predicted mask.</summary>
    IEnumerable<XElement?> Masks(Scored set)
    {
        MaskedImages images = (MaskedImages)set.Images;
        yield return H("h3", "The images with the most wrong pixels: photo, mask and prediction");
        yield return H("p", images.ClassNames.Skip(1).Take(20).Select((name, i) => H("span.key",
            H("span.colour", A("style", Colour(i + 1)), ""), name)));
        yield return H("div.photos", set.Worst().Take(Overlays).Select(image =>
        {
            Picture photo = Pictures.Of(images, image), truth = new(images.Shape.Width, images.Shape.Height, channels: 1);
            images.Mask(image).CopyTo(truth.Pixels);
            Picture guess = Mask(images.Shape, Scored.Guesses(run.Trainer.Model.Forward(Pictures.Input(images, image)), images.Classes));
            return H("figure.photo", new[] { photo, MaskOverlay.Draw(photo, truth), MaskOverlay.Draw(photo, guess) }.Select(Pictures.Photo),
                H("figcaption", FormattableString.Invariant($"{100 * set[image].Certainty:F1} % of its pixels are wrong")));
        }));

        static string Colour(int label) => MaskOverlay.ColorOf(label) is var color ? $"background:rgb({color.Red},{color.Green},{color.Blue})" : "";
    }

    static Picture Mask(ImageShape shape, ReadOnlySpan<int> labels)
    {
        Picture mask = new(shape.Width, shape.Height, channels: 1);
        for (int i = 0; i < labels.Length; i++)
            mask.Pixels[i] = labels[i] == MaskedImages.IgnoredLabel ? MaskedImages.Ignored : (byte)labels[i];
        return mask;
    }
}
