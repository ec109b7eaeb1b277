using System.Numerics.Tensors;
using MiniCnn.Imaging;

namespace MiniCnn.Examples.CatsVsDogs;

/// <summary>The pictures that a training leaves in its folder.</summary>
sealed class Drawings(PetClassifier classifier, LabeledImages photos, string folder)
{
    /// <summary>The files drawn so far.</summary>
    public List<string> Names { get; } = [];

    /// <summary>The first layer's kernels before and after.</summary>
    public void Kernels(Tensor<float> initial) => Save("kernels.png", KernelSheet.Draw(initial, classifier.FirstLayer.Weight.Value));

    /// <summary>What the first layer's kernels make of a photo of each class, and where the network saw the class in it.</summary>
    public void FeatureMaps()
    {
        List<(string, Picture)> tiles = [];
        for (int label = 0; label < photos.Classes; label++)
        {
            int photo = photos.Labels.IndexOf(label);
            if (photo < 0)
                continue;
            Picture picture = Photo(photo);
            Tensor<float> x = classifier.Model.ToInput(picture);
            tiles.Add((photos.ClassNames[label], picture));
            tiles.AddRange(classifier.FirstMaps(x).Select((map, i) => ($"map {i + 1}", HeatMap.Tile(map))));
            tiles.Add(("where", HeatMap.Over(picture, classifier.ActivationMap(x, label))));
        }
        Save("features.png", ContactSheet.Draw(tiles, columns: 9, scale: 2));
    }

    /// <summary>How loss and accuracy on the training photos went.</summary>
    public void Loss(IReadOnlyList<TrainingEpoch> history)
    {
        if (history.Count > 1)
        {
            Save("loss.png", LineChart.Draw("on augmented training photos", "epoch", "",
                [new("loss", [.. history.Select(epoch => epoch.Loss)]), new("accuracy", [.. history.Select(epoch => epoch.Accuracy)])]));
        }
    }

    /// <summary>The photos that it is surest and wrong about.</summary>
    public void Mistakes(Scores scores)
    {
        (string, Picture)[] worst = [.. scores.Surest(right: false).Take(18).Select(photo => (
            $"{photos.ClassNames[photos.Labels[photo]]} as {photos.ClassNames[scores.Guess(photo)]}, {100 * scores.Probability(photo):F0} %", Photo(photo)))];
        if (worst.Length > 0)
            Save("mistakes.png", ContactSheet.Draw(worst, columns: 6, scale: 3));
    }

    /// <summary>The photos that it is surest and right about, where it looked on them, and which pixels would move it most.</summary>
    public void WhereItLooks(Scores scores)
    {
        List<(string, Picture)> tiles = [];
        for (int label = 0; label < photos.Classes; label++)
        {
            foreach (int photo in scores.Surest(right: true).Where(photo => photos.Labels[photo] == label).Take(3))
            {
                Picture picture = Photo(photo);
                Tensor<float> x = classifier.Model.ToInput(picture);
                tiles.Add(($"{photos.ClassNames[label]}, {100 * scores.Probability(photo):F0} %", picture));
                tiles.Add(("where", HeatMap.Over(picture, classifier.ActivationMap(x, label))));
                tiles.Add(("pixels", HeatMap.Tile(classifier.SaliencyMap(x, label))));
            }
        }
        if (tiles.Count > 0)
            Save("where.png", ContactSheet.Draw(tiles, columns: 9, scale: 2));
    }

    /// <summary>A photo as it was trained on: [3, H, W] bytes become pixels.</summary>
    Picture Photo(int index)
    {
        (int channels, int height, int width) = (photos.Shape.Channels, photos.Shape.Height, photos.Shape.Width);
        Picture picture = new(width, height, channels);
        ReadOnlySpan<byte> planes = photos.Image(index);
        for (int i = 0; i < picture.Pixels.Length; i++)
            picture.Pixels[i] = planes[i % channels * height * width + i / channels];
        return picture;
    }

    void Save(string name, Picture picture)
    {
        picture.Save(Path.Combine(folder, name));
        Names.Add(name);
    }
}
