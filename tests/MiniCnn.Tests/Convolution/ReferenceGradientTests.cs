namespace MiniCnn.Tests;

/// <summary>
/// Compares the gradients of the reference with central differences in double. The convolution is linear in x, in w and in b separately, so a quotient has no
/// truncation error at any step size. With step 1, only rounding errors remain.
/// </summary>
public class ReferenceGradientTests
{
    static readonly Conv2dShape[] Table =
    [
        .. Geometries.Corners,
        .. Geometries.Random(30, seed: 11).Where(s => s.Batch is > 0 and < 16 && s.InputLength < 300),
    ];

    static IEnumerable<Conv2dShape> InEveryMode() =>
        from mode in Enum.GetValues<PaddingMode>()
        from shape in (Conv2dShape[])[.. Table.Where(s => s.Window.PaddingMode == PaddingMode.Zeros), new(2, 2, 5, 6, 2, new((3, 4), (2, 1), new(1, 3, 2, 4), (1, 2)))]
        where mode == PaddingMode.Zeros || (shape.Window.Padding != default && Fits(shape))
        let w = shape.Window
        select new Conv2dShape(
            shape.Batch, shape.InputChannels, shape.Rows.Input, shape.Columns.Input, shape.OutputChannels,
            new(w.KernelSize, w.Stride, w.Padding, w.Dilation, mode), shape.Groups);

    static bool Fits(Conv2dShape s) =>
        Math.Max(s.Rows.PadBefore, s.Rows.PadAfter) < s.Rows.Input && Math.Max(s.Columns.PadBefore, s.Columns.PadAfter) < s.Columns.Input;

    [Fact]
    public void Gradients_are_difference_quotients()
    {
        Conv2dShape[] shapes = [.. Table, .. InEveryMode()];
        Assert.All(Enum.GetValues<PaddingMode>(), mode => Assert.True(shapes.Count(s => s.Window.PaddingMode == mode) >= 10, $"{mode}"));
        Random random = new(12);
        foreach (Conv2dShape s in shapes)
        {
            double[] x = Reals(s.InputLength), w = Reals(s.WeightLength), b = Reals(s.OutputChannels), dy = Reals(s.OutputLength);
            double[] dx = Reals(s.InputLength), dw = new double[s.WeightLength], db = new double[s.OutputChannels];
            double[] plus = Reals(s.OutputLength), minus = Reals(s.OutputLength);
            Conv2dReference.BackwardInput(s, dy, w, dx);
            Conv2dReference.BackwardWeight(s, x, dy, dw);
            Conv2dReference.BackwardBias(s, dy, db);
            Compare("dx", dx, x);
            Compare("dw", dw, w);
            Compare("db", db, b);

            void Compare(string name, double[] analytic, double[] values)
            {
                for (int i = 0; i < values.Length; i++)
                {
                    double value = values[i], numeric = 0, size = 1e-3;
                    values[i] = value + 1;
                    Conv2dReference.Forward(s, x, w, b, plus);
                    values[i] = value - 1;
                    Conv2dReference.Forward(s, x, w, b, minus);
                    values[i] = value;
                    for (int j = 0; j < dy.Length; j++)
                    {
                        numeric += dy[j] * (plus[j] - minus[j]) / 2;
                        size += Math.Abs(dy[j] * (plus[j] - minus[j])) / 2;
                    }
                    Assert.True(Math.Abs(analytic[i] - numeric) <= 1e-11 * size, $"{name}[{i}] of {s}: {analytic[i]:R}, numeric {numeric:R}");
                }
            }
        }

        double[] Reals(int length) => [.. Enumerable.Range(0, length).Select(_ => random.NextDouble() * 2 - 1)];
    }
}
