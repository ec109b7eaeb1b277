using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>
/// Pictures with another aspect ratio are fitted to the input size in the same way in training, in the model file and in the predictor. <see
/// cref="RecordedPictureTests"/> compares the pixels with PIL.
/// </summary>
public sealed class FitTests : PhotoFolderTests
{
    public static TheoryData<Fit> All => [.. Enum.GetValues<Fit>()];

    static Sequential Net() => new(new Flatten(), new Linear(3 * 5 * 4, 2));

    [Theory, MemberData(nameof(All))]
    public void A_model_takes_pictures_as_those_that_it_learnt_from(Fit fit)
    {
        Random random = new(1);
        foreach ((string name, int width, int height) in ((string, int, int)[])[("a/wide.png", 40, 9), ("a/high.png", 7, 31), ("b/alike.png", 16, 20)])
        {
            Picture picture = new(width, height);
            random.NextBytes(picture.Pixels);
            Save(name, picture);
        }
        LoadedImages<LabeledImages> loaded = new ImageFolder(Root).Load(height: 5, width: 4, fit: fit);
        LabeledImages images = loaded.Images.WithNormalization([0.5f, 0.4f, 0.3f], [0.2f, 0.3f, 0.4f]).Split(0.4, seed: 1).Train.Take(2);
        Assert.Equal(fit, images.Fit);
        new ImageClassifier(Net(), images).Save(At("model"));
        ImageClassifier model = ImageClassifier.Load(At("model"));
        Assert.Equal(fit, model.Fit);
        for (int i = 0; i < 3; i++)
        {
            float[] expected = loaded.Images.WithNormalization(images.Mean, images.Std).Batches(1).ElementAt(i).Images.AsSpan().ToArray();
            Assert.Equal(expected, model.ToInput(Picture.Load(At(loaded.Files[i]))).AsSpan());
        }
        Assert.Equal(fit == Fit.Letterbox, loaded.Images.Image(1)[..4].IndexOfAnyExcept((byte)0) < 0);       // wide.png has a bar above
        ImageSegmenter segmenter = new(new Conv2d(3, 2, 1), images.Shape, images.Mean, images.Std, ["a", "b"], fit);
        segmenter.Save(At("segmenter"));
        Assert.Equal(fit, ImageSegmenter.Load(At("segmenter")).Fit);
    }

    [Fact]
    public void A_file_without_it_stretches_and_one_with_another_word_is_refused()
    {
        new ImageClassifier(Net(), new(3, 5, 4), [0, 0, 0], [1, 1, 1], ["a", "b"], Fit.CenterCrop).Save(At("model"));
        string file = File.ReadAllText(At("model"), System.Text.Encoding.Latin1);
        const string Told = """\"fit\":\"CenterCrop\",""";
        Assert.Contains(Told, file, StringComparison.Ordinal);
        Assert.Equal(Fit.Stretch, Load("").Fit);
        Assert.Equal(Fit.Letterbox, Load("""\"fit\":\"Letterbox\",""").Fit);
        foreach (string bad in (string[])["1", "\\\"1\\\"", "\\\"letterbox\\\"", "\\\"Squeeze\\\"", "null"])
        {
            string message = Assert.Throws<InvalidDataException>(() => Load($"\\\"fit\\\":{bad},")).Message;
            Assert.Contains("; it must be Stretch, Letterbox, CenterCrop", message, StringComparison.Ordinal);
        }
        Assert.Throws<ArgumentException>(() => new ImageClassifier(Net(), new(3, 5, 4), [0, 0, 0], [1, 1, 1], ["a", "b"], (Fit)3));

        ImageClassifier Load(string instead)
        {
            File.WriteAllText(At("other"), file.Replace(Told, instead.PadRight(Told.Length), StringComparison.Ordinal), System.Text.Encoding.Latin1);
            return ImageClassifier.Load(At("other"));
        }
    }

    [Theory, MemberData(nameof(All))]
    public void A_mask_follows_its_picture_and_bars_have_no_class(Fit fit)
    {
        Picture picture = new(12, 4, 1), mask = new(12, 4, 1);
        for (int i = 0; i < 48; i++)
            (picture.Pixels[i], mask.Pixels[i]) = ((byte)(i % 12 < 6 ? 100 : 200), (byte)(i % 12 / 6));
        Save("photos/1.jpg", picture);
        Save("masks/1.png", mask);
        MaskedImages images = new MaskedImageFolder(At("photos"), At("masks"), ["left", "right"]).Load(height: 6, width: 4, channels: 1, fit).Images;
        byte[] row = [100, 100, 200, 200];
        for (int y = 0; y < 6; y++)
        {
            bool isBar = fit == Fit.Letterbox && y is not 2;            // 4 · 4/12 is one row; (6 − 1)/2 rounds to 2
            int[] seen = [.. Enumerable.Range(0, 4).Select(x => images.Mask(0)[4 * y + x] switch { 0 => 100, 1 => 200, 255 => 0, _ => -1 })];
            Assert.Equal(isBar ? [0, 0, 0, 0] : row.Select(grey => (int)grey), seen);
            Assert.True(isBar ? images.Image(0).Slice(4 * y, 4).IndexOfAnyExcept((byte)0) < 0 : images.Image(0)[4 * y] >= 100);
        }
    }

    [Fact]
    public void Sets_of_another_fit_are_refused()
    {
        LabeledImages crop = Two(Fit.CenterCrop), stretched = Two(Fit.Stretch);
        Sequential net = Net();
        Assert.Equal(
            "the fit of the training images is CenterCrop, but that of the validation images is Stretch: load both with the same fit",
            Assert.Throws<ArgumentException>(() => new Trainer(net, new Sgd(net.Parameters, 0.1f)) { Validation = stretched }.Run(crop)).Message);
        Assert.StartsWith(
            "the fit of the model is CenterCrop, but that of the images is Stretch",
            Assert.Throws<ArgumentException>(() => Evaluation.Of(new ImageClassifier(net, crop), stretched)).Message, StringComparison.Ordinal);
        new Trainer(net, new Sgd(net.Parameters, 0.1f)) { Validation = crop.Take(1) }.Run(crop);

        static LabeledImages Two(Fit fit) => new(new byte[2 * 60], [0, 1], new(3, 5, 4), 2, [0, 0, 0], [1, 1, 1], fit: fit);
    }

    /// <summary>A model with outputs as bright as its input, and photos that are dark in one half and bright in the other.</summary>
    [Theory, MemberData(nameof(All))]
    public void A_mask_lies_on_its_photo(Fit fit)
    {
        Conv2d bright = new(1, 2, 1);
        ((float[])[-1, 1]).CopyTo(bright.Weight.Value.AsSpan());
        ((float[])[0.4f, -0.4f]).CopyTo(bright.Bias!.Value.AsSpan());                        // logit 1 is the larger one where x > 0.4
        MaskPredictor predictor = new ImageSegmenter(bright, new(1, 4, 6), [0], [1], ["dark", "bright"], fit).CreatePredictor();
        foreach ((int width, int height) in ((int, int)[])[(120, 52), (48, 104), (60, 40)])
        {
            Picture across = new(width, height, 1), down = new(width, height, 1);
            for (int i = 0; i < across.Pixels.Length; i++)
                (across.Pixels[i], down.Pixels[i]) = (i % width >= width / 2 ? (byte)204 : (byte)0, i / width >= height / 2 ? (byte)204 : (byte)0);
            // 6/4 of 52 are 78 columns, 21 cut off at each side; 4/6 of 48 are 32 rows, 36 cut off.
            (int x, int y) = fit != Fit.CenterCrop ? (0, 0) : (width, height) switch { (120, 52) => (21, 0), (48, 104) => (0, 36), _ => (0, 0) };
            foreach (Picture photo in new[] { across, down })
            {
                Picture mask = predictor.Predict(photo);
                for (int i = 0; i < mask.Pixels.Length; i++)
                {
                    bool isCut = i % width < x || i % width >= width - x || i / width < y || i / width >= height - y;
                    Assert.True(mask.Pixels[i] == (isCut ? 255 : photo.Pixels[i] / 204), $"{fit}, {width}×{height}, pixel {i}: {mask.Pixels[i]}");
                }
            }
        }
    }
}
