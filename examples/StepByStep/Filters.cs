using System.Numerics.Tensors;
using System.Xml.Linq;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>3. What known kernels make of a photo.</summary>
static class Filters
{
    public static Figure Photo(Materials m)
    {
        Picture square = m.Square.Clip(), wide = m.Wide.Clip();
        return new(
            "One photo, in two sizes",
            $"The photo, {m.PhotoName}, has {m.Photo.Height} rows of {m.Photo.Width} pixels, in colour. The article works with 224×224 grey pixels, the "
            + "lecture with 459 rows of 612; so it is made grey, cut and resized to both. Rows come first where shapes are written: 459×612 is wider "
            + "than high.",
            Draw.Row(Draw.Photo($"{square.Height}×{square.Width}", square), Draw.Photo($"{wide.Height}×{wide.Width}", wide)));
    }

    public static Figure Sharpen(Materials m)
    {
        float[,] k = Values.Of(ImageFilters.Sharpen), y = Values.Convolve(m.Square, k);
        return new(
            "Sharpen, clipped and not",
            $"The kernel adds to a pixel what sets it off from its four neighbours. The output runs from {Values.N(y.List().Min())} to "
            + $"{Values.N(y.List().Max())}. A plot that stretches this range to black and white looks pale. The article sets what is negative to "
            + "0; a picture file needs the upper end too, so the library clips to 0 and 255.",
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
            $"A mean in which near pixels weigh more: sixteenths that add up to {Values.N(k.List().Sum())}. No weight is negative, so the "
            + $"output stays within the photo's range ({Values.N(y.List().Min(), "0")} to {Values.N(y.List().Max(), "0")}), and there is nothing "
            + "to clip.",
            Draw.Row(Draw.Kernel("Gaussian", k, "0.####"), Draw.Photo("before", m.Square.Clip()), Draw.Photo("after", y.Clip())));
    }

    public static Figure Outline(Materials m)
    {
        float[,] k = Values.Of(ImageFilters.Outline), y = Values.Convolve(m.Square, k);
        double negative = y.List().Count(v => v < 0) / (double)y.Length;
        return new(
            "Outline, clipped and not",
            $"Eight times the pixel less its eight neighbours: 0 where all are alike, since the kernel adds up to {Values.N(k.List().Sum())}. "
            + $"{negative:P0} of the outputs are negative here (most, the article finds). Stretched, 0 is some grey; clipped, it is black and "
            + "the edges stand out.",
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
            "The mean of 5×5 pixels, again and again",
            "All 25 weights are 1/25. Once over the photo leaves 455×608 pixels; ten times blur much more and cost ten borders of two pixels. "
            + "Repeated box blurs come close to a Gaussian of growing width.",
            Draw.Row([.. photos]));
    }

    public static Figure Prewitt(Materials m)
    {
        float[,] k = Values.Of(ImageFilters.PrewittHorizontal), y = Values.Convolve(m.Wide, k);
        return new(
            "Prewitt: horizontal edges",
            "The row above less the row below. It answers with 0 on an even surface, bright where it is lighter above, dark where it is "
            + $"lighter below: where neighbours are not alike. Of {m.Wide.GetLength(0)}×{m.Wide.GetLength(1)} pixels "
            + $"{y.GetLength(0)}×{y.GetLength(1)} are left.",
            Draw.Row(Draw.Kernel("Prewitt, horizontal", k)),
            Draw.Row(Draw.Photo("stretched: grey is 0", y.Rescale()), Draw.Photo("its size alone, clipped", y.Map(Math.Abs).Clip())));
    }

    public static Figure Bank(Materials m)
    {
        Picture photo = m.Square.Clip().Resize(150, 150);
        return new(
            "The classical kernels",
            "All the kernels of ImageFilters on one photo, with replicate padding, clipped. Each is a matrix that somebody thought of. A "
            + "convolutional layer is a bank like this whose matrices are learnt.",
            Draw.Row([.. ImageFilters.All.Select(filter => Draw.Photo(filter.Name, filter.Apply(photo, paddingMode: PaddingMode.Replicate)))]));
    }

    public static Figure Normalised(Materials m)
    {
        ImageFilter k = new("K", Windows.K);
        (float[,] area, float[,] sum) = (Values.Of(k.DividedByArea()), Values.Of(k.DividedBySum()));
        float[,] byArea = Values.Convolve(m.Square, area), bySum = Values.Convolve(m.Square, sum);
        return new(
            "1/k², or a sum of 1",
            $"The lecture's kernel adds up to 7, not to 9. Divided by k² its weights add up to {Values.N(area.List().Sum(), "0.##")}, and the "
            + $"photo gets darker: its mean falls from {Values.N(m.Square.List().Average(), "0")} to {Values.N(byArea.List().Average(), "0")}. "
            + $"Divided by its own sum the mean stays ({Values.N(bySum.List().Average(), "0")}). Only that is a weighted average. An edge kernel "
            + "adds up to 0 and has no such form.",
            Draw.Row(
                Draw.Photo("before", m.Square.Clip()), Draw.Photo("K / 9", byArea.Clip()), Draw.Photo("K / 7", bySum.Clip())));
    }

    public static Figure Bias(Materials m)
    {
        float[,] k = Values.Of(ImageFilters.PrewittVertical);
        return new(
            "A bias is added to every output",
            "One kernel without a bias and with a bias of 128, clipped. What was cut off at black is seen now, for 0 has become a middle "
            + "grey. The kernel decides what is found; the bias lifts or lowers all outputs alike, and so decides from where on it counts.",
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
            "Both documents' code lays the kernel down, the lecture's after turning it by 180°. Prewitt's kernel turned is its own negative: "
            + $"{(negated ? "every output changes its sign" : "the outputs differ")}, bright edges become dark ones. Blur, sharpen and outline "
            + $"are symmetric and do not care ({(sameBlur ? "the blurred photos are equal to the bit" : "they differ")}). A Conv2d does not flip.",
            Draw.Row(
                Draw.Kernel("as written", k), Draw.Photo("as written", asWritten.Rescale()), Draw.Kernel("flipped", k.Flip()),
                Draw.Photo("flipped", flipped.Rescale())));
    }

    /// <summary>The lecture's sizes, by layers that do it.</summary>
    public static Figure LectureSizes(Materials m)
    {
        (string Name, int K, int P, int S)[] cases =
        [
            ("box 5×5", 5, 0, 1), ("Prewitt or sharpen, 3×3", 3, 0, 1), ("box 5×5, padding 2", 5, 2, 1), ("box 5×5, padding 2, stride 2", 5, 2, 2),
        ];
        int height = m.Wide.GetLength(0), width = m.Wide.GetLength(1);
        return new(
            "The lecture's sizes, the formula filled in",
            "Each row is a layer that has run on the photo, and the size of what came out.",
            Table($"Sizes of what {height}×{width} pixels become", ["layer", "height", "width", "output"], cases.Select(c =>
            {
                float[,] y = Values.Convolve(m.Wide, Values.Fill(c.K, c.K, (_, _) => 1f / (c.K * c.K)), c.S, c.P);
                return (string[])[c.Name, Formula(height, c, y.GetLength(0)), Formula(width, c, y.GetLength(1)), $"{y.GetLength(0)}×{y.GetLength(1)}"];
            })));

        static string Formula(int n, (string Name, int K, int P, int S) c, int got) => $"⌊({n} + 2·{c.P} − {c.K}) / {c.S} + 1⌋ = {got}";
    }
}
