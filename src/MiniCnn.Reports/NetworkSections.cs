using System.Numerics.Tensors;
using System.Xml.Linq;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Reports;

/// <summary>The sections about the network: the kernels of the first convolution before and after training, and the feature maps of sample images.</summary>
/// <remarks>They take the most time of the page. They are drawn after an epoch if the report took less than 1 % of the run time, and at the end.</remarks>
sealed class NetworkSections
{
    const int Samples = 2, Layers = 10, Channels = 8;            // maximum numbers
    const int Tile = 40, Line = 1;                               // approximate side of a map, and width of the lines, in pixels

    readonly RunReport run;
    readonly Conv2d? first;
    readonly Tensor<float>? before;
    XElement? kernels, maps;
    bool isFinal;

    public NetworkSections(RunReport run)
    {
        this.run = run;
        first = FirstOf(run.Trainer.Model);
        before = first is null ? null : Tensor.Create<float>([.. first.Weight.Value], first.Weight.Value.Lengths);
    }

    /// <summary>The first convolution in a layer or its children.</summary>
    static Conv2d? FirstOf(Layer layer) => layer switch
    {
        Conv2d convolution => convolution,
        Container container => container.Children.Select(child => FirstOf(child.Layer)).FirstOrDefault(found => found is not null),
        _ => null,
    };

    /// <summary>Whether to draw the sections now.</summary>
    bool IsDue => run.IsOver ? !isFinal : run.Epochs.Count > 0 && run.Spent < run.Elapsed / 100;

    public XElement? Kernels()
    {
        if (first is not null && IsDue)
        {
            kernels = Page.Section("kernels", "Kernels of the first layer", () =>
            [
                H("p", $"{first.Description}. Each column is an output channel, each row an input channel. Blue is negative, red is positive."),
                H("div.wide", Pictures.Image(KernelSheet.Draw(before!, first.Weight.Value, "before training", "now"), "The kernels before training and now")),
            ]);
        }
        return kernels is null ? null : new(kernels);
    }

    public XElement? Maps()
    {
        if (IsDue)
        {
            maps = Page.Section("maps", "Feature maps", Look);
            isFinal = run.IsOver;
        }
        return maps is null ? null : new(maps);
    }

    /// <summary>Sample images of different classes, in a batch of about the training size, for which the code is already compiled.</summary>
    IEnumerable<XElement> Look()
    {
        LabeledImages? labeled = run.Train as LabeledImages;
        int[] samples = [.. Enumerable.Range(0, run.Train.Count).Take(5000).DistinctBy(image => labeled is null ? image : labeled.Labels[image]).Take(Samples)];
        int[] batch = [.. samples, .. Enumerable.Range(0, run.Train.Count).Take(Math.Min(16, run.Trainer.BatchSize) - samples.Length)];
        IReadOnlyList<(Layer Layer, Tensor<float> Maps)> all = Looking.Maps(run.Trainer.Model, Pictures.Input(run.Train, batch));
        if (all.Count > Layers)                                  // the activation after a convolution and its norm is enough
            all = [.. all.Where(pair => pair.Layer is not (Conv2d or BatchNorm2d))];
        return all.Count == 0 ? [] : samples.SelectMany((image, n) => Look(
            image, labeled is null ? $"image {image + 1}" : run.FileOf(labeled, image) ?? labeled.ClassNames[labeled.Labels[image]], n, all));
    }

    IEnumerable<XElement> Look(int image, string name, int n, IReadOnlyList<(Layer Layer, Tensor<float> Maps)> all)
    {
        yield return H("h3", name);
        yield return H("div.photos", Pictures.Figure(Pictures.Of(run.Train, image), "input"));
        foreach (int i in Enumerable.Range(0, all.Count).Where(i => all.Count <= Layers || i * Layers / all.Count != (i - 1) * Layers / all.Count || i == 0))
        {
            (Layer layer, Tensor<float> maps) = all[i];
            (int count, int height, int width) = ((int)maps.Lengths[1], (int)maps.Lengths[2], (int)maps.Lengths[3]);
            string caption = $"{layer.Description}: {(count <= Channels ? $"{count} maps" : $"the first {Channels} of {count} maps")} of {height}×{width}";
            Picture strip = Strip([.. Enumerable.Range(0, Math.Min(count, Channels)).Select(channel => Looking.Map(maps, channel, n))]);
            yield return H("figure.strip", H("figcaption", caption), H("div.wide", Pictures.Image(strip, caption)));
        }
    }

    /// <summary>Draws maps side by side with one color scale.</summary>
    static Picture Strip(float[][,] all)
    {
        float[] values = [.. all.SelectMany(map => map.Cast<float>()).Where(float.IsFinite).DefaultIfEmpty()];
        (int height, int width) = (all[0].GetLength(0), all[0].GetLength(1));
        int cell = Math.Max(1, Tile / Math.Max(height, width));
        Picture[] tiles = [.. all.Select(map => HeatMap.Tile(map, cell, (values.Min(), values.Max())))];
        double share = 1.2 * Tile / Math.Max(tiles[0].Width, tiles[0].Height);
        if (share < 1)
            tiles = [.. tiles.Select(tile => tile.Resize(Math.Max(1, (int)(share * tile.Width)), Math.Max(1, (int)(share * tile.Height))))];
        Picture strip = new(all.Length * (tiles[0].Width + Line) - Line + 2, tiles[0].Height + 2);
        for (int i = 0; i < all.Length; i++)
            strip.Paste(tiles[i], 1 + i * (tiles[0].Width + Line), 1);
        return strip;
    }
}
