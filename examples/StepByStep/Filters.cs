using System.Numerics.Tensors;
using System.Xml.Linq;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>3. Known kernels on a photo.</summary>
static class Filters
{
    public static Figure Photo(Materials m)
    {
        Picture square = m.Square.Clip(), wide = m.Wide.Clip();
        return new(
            "One photo, in two sizes",
            $"The photo, {m.PhotoName}, has {m.Photo.Height} rows of {m.Photo.Width} pixels, in color. The article works with 224×224 gray "
            + "pixels, the lecture with 459 rows of 612. The photo is converted to grayscale, cropped and resized to both sizes. Shapes are "
            + "written with rows first: 459×612 is wider than high.",
            Draw.Row(Draw.Photo($"{square.Height}×{square.Width}", square), Draw.Photo($"{wide.Height}×{wide.Width}", wide)));
    }

    public static Figure Sharpen(Materials m)
    {
        float[,] k = Values.Of(ImageFilters.Sharpen), y = Values.Convolve(m.Square, k);
        return new(
            "Sharpen, clipped and not",
            "The kernel adds the difference between a pixel and its four neighbors to the pixel. The output has values from "
            + $"{Values.N(y.List().Min())} to {Values.N(y.List().Max())}. A plot that maps this range to black and white has low contrast. The "
            + "article sets negative values to 0. A picture file needs an upper limit too, so the library clips to 0 and 255.",
            Draw.Row(Draw.Kernel("sharpen", k)),
            Draw.Row(
                Draw.Photo("before, 224×224", m.Square.Clip()), Draw.Photo($"stretched, {y.GetLength(0)}×{y.GetLength(1)}", y.Rescale()),
                Draw.Photo("negative set to 0, stretched", y.Map(v => Math.Max(v, 0)).Rescale()), Draw.Photo("clipped to 0 and 255", y.Clip())));
    }

    public static Figure Gaussian(Materials m)
    {
        float[,] k = Values.Of(ImageFilters.GaussianBlur), y = Values.Convolve(m.Square, k);
        return new(
            "Gaussian blur",
            $"A weighted mean: near pixels have larger weights. The weights are sixteenths with the sum {Values.N(k.List().Sum())}. No weight is "
            + $"negative, so the output stays in the range of the photo ({Values.N(y.List().Min(), "0")} to {Values.N(y.List().Max(), "0")}) and "
            + "nothing is clipped.",
            Draw.Row(Draw.Kernel("Gaussian", k, "0.####"), Draw.Photo("before", m.Square.Clip()), Draw.Photo("after", y.Clip())));
    }

    public static Figure Outline(Materials m)
    {
        float[,] k = Values.Of(ImageFilters.Outline), y = Values.Convolve(m.Square, k);
        double negative = y.List().Count(v => v < 0) / (double)y.Length;
        return new(
            "Outline, clipped and not",
            "Eight times the pixel minus its eight neighbors. The result is 0 where all nine pixels are equal, because the weights have the sum "
            + $"{Values.N(k.List().Sum())}. Here {negative:P0} of the outputs are negative (the article finds that most are). In the stretched "
            + "picture 0 is gray. In the clipped picture 0 is black and the edges are bright.",
            Draw.Row(Draw.Kernel("outline", k)),
            Draw.Row(
                Draw.Photo("before", m.Square.Clip()), Draw.Photo("stretched", y.Rescale()), Draw.Photo("clipped to 0 and 255", y.Clip())));
    }

    public static Figure Box(Materials m)
    {
        float[,] k = Values.Of(ImageFilters.BoxBlur5), y = m.Wide;
        List<XElement> photos = [Draw.Photo("before, 459×612", y.Clip())];
        for (int time = 1; time <= 10; time++)
        {
            y = Values.Convolve(y, k);
            if (time is 1 or 3 or 10)
                photos.Add(Draw.Photo($"{time} time{(time == 1 ? "" : "s")}, {y.GetLength(0)}×{y.GetLength(1)}", y.Clip()));
        }
        return new(
            "The mean of 5×5 pixels, repeated",
            "All 25 weights are 1/25. One pass over the photo leaves 455×608 pixels. Ten passes blur strongly and remove ten borders of two "
            + "pixels. Repeated box blurs approach a Gaussian blur of growing width.",
            Draw.Row([.. photos]));
    }

    public static Figure Prewitt(Materials m)
    {
        float[,] k = Values.Of(ImageFilters.PrewittHorizontal), y = Values.Convolve(m.Wide, k);
        return new(
            "Prewitt: horizontal edges",
            "The row above minus the row below. The output is 0 on an even surface, positive where the upper row is brighter and negative where "
            + $"the lower row is brighter. {m.Wide.GetLength(0)}×{m.Wide.GetLength(1)} pixels become {y.GetLength(0)}×{y.GetLength(1)}.",
            Draw.Row(Draw.Kernel("Prewitt, horizontal", k)),
            Draw.Row(Draw.Photo("stretched: gray is 0", y.Rescale()), Draw.Photo("absolute values, clipped", y.Map(Math.Abs).Clip())));
    }

    public static Figure Bank(Materials m)
    {
        Picture photo = m.Square.Clip().Resize(150, 150);
        return new(
            "The classical kernels",
            "All kernels of ImageFilters on one photo, with replicate padding, clipped. People designed each of these matrices. A convolutional "
            + "layer is a set of such matrices that are learned.",
            Draw.Row([.. ImageFilters.All.Select(filter => Draw.Photo(filter.Name, filter.Apply(photo, paddingMode: PaddingMode.Replicate)))]));
    }

    public static Figure Normalised(Materials m)
    {
        ImageFilter k = new("K", Windows.K);
        (float[,] area, float[,] sum) = (Values.Of(k.DividedByArea()), Values.Of(k.DividedBySum()));
        float[,] byArea = Values.Convolve(m.Square, area), bySum = Values.Convolve(m.Square, sum);
        return new(
            "1/k², or a sum of 1",
            $"The weights of the lecture's kernel have the sum 7, not 9. Divided by k², their sum is {Values.N(area.List().Sum(), "0.##")}, and "
            + $"the photo gets darker: its mean falls from {Values.N(m.Square.List().Average(), "0")} to {Values.N(byArea.List().Average(), "0")}. "
            + $"Divided by their sum, the mean stays ({Values.N(bySum.List().Average(), "0")}). Only this is a weighted mean. The weights of an "
            + "edge kernel have the sum 0, so they cannot be divided by it.",
            Draw.Row(
                Draw.Photo("before", m.Square.Clip()), Draw.Photo("K / 9", byArea.Clip()), Draw.Photo("K / 7", bySum.Clip())));
    }

    public static Figure Bias(Materials m)
    {
        float[,] k = Values.Of(ImageFilters.PrewittVertical);
        return new(
            "A bias is added to every output",
            "One kernel without a bias and with a bias of 128, clipped. Values that were clipped to black are visible now, because 0 has become "
            + "a medium gray. The kernel determines the feature. The bias shifts all outputs equally, so it determines the threshold.",
            Draw.Row(
                Draw.Kernel("Prewitt, vertical", k), Draw.Photo("bias 0", Values.Convolve(m.Square, k).Clip()),
                Draw.Photo("bias 128", Values.Convolve(m.Square, k, bias: 128).Clip())));
    }

    public static Figure Flipped(Materials m)
    {
        float[,] k = Values.Of(ImageFilters.PrewittHorizontal), blur = Values.Of(ImageFilters.GaussianBlur);
        float[,] asWritten = Values.Convolve(m.Square, k), flipped = Values.Convolve(m.Square, k.Flip());
        bool sameBlur = Values.Convolve(m.Square, blur).Cast<float>().SequenceEqual(Values.Convolve(m.Square, blur.Flip()).Cast<float>());
        bool negated = asWritten.Cast<float>().SequenceEqual(flipped.Map(v => -v).Cast<float>());
        return new(
            "Flipped or not",
            "The code of both documents slides the kernel; the lecture rotates it by 180° first. Prewitt's kernel rotated is its own negative: "
            + $"{(negated ? "each output changes its sign" : "the outputs differ")}, and bright edges become dark. Blur, sharpen and outline are "
            + $"symmetric, so flipping has no effect ({(sameBlur ? "the blurred photos are bitwise equal" : "they differ")}). A Conv2d does not "
            + "flip.",
            Draw.Row(
                Draw.Kernel("as written", k), Draw.Photo("as written", asWritten.Rescale()), Draw.Kernel("flipped", k.Flip()),
                Draw.Photo("flipped", flipped.Rescale())));
    }

    /// <summary>The lecture's sizes, computed by layers.</summary>
    public static Figure LectureSizes(Materials m)
    {
        (string Name, int K, int P, int S)[] cases =
        [
            ("box 5×5", 5, 0, 1), ("Prewitt or sharpen, 3×3", 3, 0, 1), ("box 5×5, padding 2", 5, 2, 1), ("box 5×5, padding 2, stride 2", 5, 2, 2),
        ];
        int height = m.Wide.GetLength(0), width = m.Wide.GetLength(1);
        return new(
            "The lecture's sizes by the formula",
            "Each row is a layer that ran on the photo, and the size of its output.",
            Table($"Output sizes for {height}×{width} pixels", ["layer", "height", "width", "output"], cases.Select(c =>
            {
                float[,] y = Values.Convolve(m.Wide, Values.Fill(c.K, c.K, (_, _) => 1f / (c.K * c.K)), c.S, c.P);
                return (string[])[c.Name, Formula(height, c, y.GetLength(0)), Formula(width, c, y.GetLength(1)), $"{y.GetLength(0)}×{y.GetLength(1)}"];
            })));

        static string Formula(int n, (string Name, int K, int P, int S) c, int got) => $"⌊({n} + 2·{c.P} − {c.K}) / {c.S} + 1⌋ = {got}";
    }
}
