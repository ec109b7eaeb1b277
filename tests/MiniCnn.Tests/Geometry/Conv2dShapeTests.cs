namespace MiniCnn.Tests;

public class Conv2dShapeTests
{
    [Theory]
    [InlineData(224, 3, 1, 0, 1, 222)]
    [InlineData(222, 3, 1, 0, 1, 220)]
    [InlineData(224, 5, 1, 0, 1, 220)]
    [InlineData(459, 5, 1, 2, 1, 459)]
    [InlineData(612, 5, 1, 2, 1, 612)]
    [InlineData(459, 5, 1, 0, 1, 455)]
    [InlineData(459, 3, 1, 0, 1, 457)]
    [InlineData(459, 5, 2, 2, 1, 230)]
    [InlineData(612, 5, 2, 2, 1, 306)]
    [InlineData(28, 3, 1, 2, 2, 28)]
    [InlineData(1603, 4, 4, 0, 1, 400)]
    [InlineData(7, 3, 10, 0, 1, 1)]
    public void The_output_size_is_the_formulas(int size, int kernel, int stride, int padding, int dilation, int expected)
    {
        Window2d window = new(kernel, stride, padding, dilation);
        Assert.Equal(expected, window.OutputSize(size, 2000).Height);
        Assert.Equal(expected, window.OutputSize(2000, size).Width);
    }

    [Fact]
    public void Axes_do_not_get_mixed_up()
    {
        Conv2dShape shape = new(2, 6, 11, 20, 4, new((3, 5), (2, 3), new(1, 2, 3, 4), (2, 1)), 2);
        Assert.Equal((11 + 1 + 3 - 2 * 2 - 1) / 2 + 1, shape.OutputHeight);
        Assert.Equal((20 + 2 + 4 - 1 * 4 - 1) / 3 + 1, shape.OutputWidth);
        Assert.Equal((2 * 6 * 11 * 20, 4 * 3 * 3 * 5, 2 * 4 * 6 * 8), (shape.InputLength, shape.WeightLength, shape.OutputLength));
        Assert.Equal("2×6×11×20 → 2×4×6×8 (3×5, stride 2×3, padding top 1, left 2, bottom 3, right 4, dilation 2×1, groups 2)", shape.ToString());
    }

    [Fact]
    public void Same_keeps_the_size_and_puts_the_odd_pixel_at_the_end()
    {
        for (int size = 50; size <= 54; size++)
            foreach (int kernel in (int[])[1, 2, 3, 8])
                foreach (int dilation in (int[])[1, 2, 3])
                {
                    Size2d k = (kernel, 3), d = (dilation, 2);
                    Padding padding = Padding.Same(k, d);
                    Assert.Equal((size, size + 1), Pair(new Window2d(k, 1, padding, d).OutputSize(size, size + 1)));
                    Assert.Equal(dilation * (kernel - 1) % 2, padding.Bottom - padding.Top);
                    Assert.Equal(0, padding.Right - padding.Left);
                }
    }

    [Fact]
    public void Same_is_for_stride_1_and_for_sizes_that_make_sense()
    {
        Assert.Equal(Padding.Same((3, 4)), Padding.Same((3, 4), stride: 1));
        Assert.Contains("stride 1", Assert.Throws<ArgumentException>(() => Padding.Same(3, stride: (1, 2))).Message);
        Assert.Throws<ArgumentException>(() => Padding.Same(3, 2_000_000_000));
        Assert.Throws<ArgumentException>(() => Padding.Same((0, 3)));
    }

    static (int, int) Pair(Size2d size) => (size.Height, size.Width);

    [Theory]
    [InlineData(0, 1, 1, 0, "kernel size")]
    [InlineData(3, 0, 1, 0, "stride")]
    [InlineData(3, -2, 1, 0, "stride")]
    [InlineData(3, 1, 0, 0, "dilation")]
    [InlineData(3, 1, 1, -1, "padding")]
    public void A_window_that_makes_no_sense_is_refused(int kernel, int stride, int dilation, int padding, string word)
    {
        Assert.Contains(word, Assert.Throws<ArgumentException>(() => new Window2d((kernel, 3), (stride, 1), (padding, 0), (dilation, 1))).Message);
        Assert.Contains(word, Assert.Throws<ArgumentException>(() => new Window2d((3, kernel), (1, stride), (0, padding), (1, dilation))).Message);
    }

    [Fact]
    public void A_kernel_that_does_not_fit_says_what_would()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => new Window2d(5, dilation: 2).OutputSize(7, 7));
        Assert.Equal("the kernel spans 9×9 but the padded input is 7×7; use padding ≥ 1 or a smaller dilation", e.Message);
        Assert.Equal((1, 1), Pair(new Window2d(5, padding: 1, dilation: 2).OutputSize(7, 7)));
        e = Assert.Throws<ArgumentException>(() => new Window2d((2, 9)).OutputSize(7, 4));
        Assert.Equal("the kernel spans 2×9 but the padded input is 7×4; use padding ≥ 3 or a smaller kernel", e.Message);
    }

    [Theory]
    [InlineData(PaddingMode.Reflect, 4)]
    [InlineData(PaddingMode.Circular, 5)]
    public void Padding_takes_no_more_pixels_than_there_are(PaddingMode mode, int most)
    {
        new Window2d(3, 1, (most, 0), 1, mode).OutputSize(5, 9);
        new Window2d(3, 1, (0, most), 1, mode).OutputSize(9, 5);
        Assert.Throws<ArgumentException>(() => new Window2d(3, 1, (most + 1, 0), 1, mode).OutputSize(5, 9));
        Assert.Throws<ArgumentException>(() => new Window2d(3, 1, (0, most + 1), 1, mode).OutputSize(9, 5));
    }

    [Fact]
    public void What_does_not_fit_together_is_refused()
    {
        Refused("2 groups must divide the channels, 3 in and 4 out", 1, 3, 5, 5, 4, 3, 2);
        Refused("2 groups must divide the channels, 4 in and 3 out", 1, 4, 5, 5, 3, 3, 2);
        Refused("groups must be at least 1", 1, 4, 5, 5, 4, 3, 0);
        Refused("channels and groups must be at least 1", 1, 0, 5, 5, 4, 3, 1);
        Refused("the batch size must be at least 0", -1, 1, 5, 5, 4, 3, 1);
        Refused("at least 1×1 pixels", 1, 1, 0, 5, 4, 3, 1);
        Refused("would hold more than", 3, 1000, 1000, 1000, 4, 3, 1);
        Refused("would hold more than", 1, 65536, 3, 3, 65536, 3, 1);

        static void Refused(string message, int n, int ic, int h, int w, int oc, int kernel, int groups) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => new Conv2dShape(n, ic, h, w, oc, new(kernel), groups)).Message);
    }

    [Fact]
    public void Sizes_are_worked_out_without_overflow()
    {
        Assert.Throws<ArgumentException>(() => new Window2d(int.MaxValue, dilation: int.MaxValue));
        Assert.Throws<ArgumentException>(() => new Window2d(1, padding: int.MaxValue).OutputSize(2, 2));
        Assert.Equal(1, new Window2d(1, stride: int.MaxValue).OutputSize(5, 6).Width);
        Assert.Equal(0, new Conv2dShape(0, 3, 5, 6, 2, new(3)).InputLength);
    }

    [Fact]
    public void Tap_ranges_are_what_Source_says()
    {
        foreach (Conv2dShape shape in Geometries.TableAndRandom(300, seed: 4).Where(s => s.Window.PaddingMode == PaddingMode.Zeros))
            foreach (WindowAxis axis in (WindowAxis[])[shape.Rows, shape.Columns])
            {
                for (int o = 0; o < axis.Output; o++)
                {
                    int[] taps = [.. Enumerable.Range(0, axis.Kernel).Where(k => axis.Source(o, k) >= 0)];
                    Assert.Equal(taps, Range(axis.FirstTap(o), axis.EndTap(o)));
                }
            }

        static int[] Range(int from, int end) => [.. Enumerable.Range(from, Math.Max(0, end - from))];
    }
}
