namespace MiniCnn.Cases;

/// <summary>The convolutions of the table. Heights and widths differ, except in typical shapes of users.</summary>
static class Conv2dCases
{
    public static IEnumerable<Conv2dCase> All => [.. ByHand.SelectMany(Both), .. Grid(), .. Random(120, seed: 1)];

    /// <summary>Manually selected convolutions of real numbers.</summary>
    public static IEnumerable<Conv2dCase> ByHand => [.. Chosen, .. Modes];

    /// <summary>Returns the case with integers and with real numbers.</summary>
    static IEnumerable<Conv2dCase> Both(Conv2dCase c) => [Whole(c), c];

    static Conv2dCase Whole(Conv2dCase c) => c with { Whole = 3 };

    static Conv2dCase Of(
        int n, int c, int h, int w, int o, Size2d kernel, Size2d? stride = null, Padding padding = default, Size2d? dilation = null, int groups = 1,
        bool bias = true, PaddingMode mode = PaddingMode.Zeros) =>
        new(new Conv2dShape(n, c, h, w, o, new(kernel, stride, padding, dilation, mode), groups), bias) { Real = Rounding.Sums };

    /// <summary>Edge cases and typical convolutions.</summary>
    static Conv2dCase[] Chosen =>
    [
        Of(1, 1, 5, 5, 1, 3),
        Of(2, 3, 7, 9, 4, (3, 5)),
        Of(2, 3, 7, 9, 4, (3, 5), bias: false),
        Of(3, 2, 8, 11, 5, (2, 3), (2, 3)),
        Of(2, 2, 9, 7, 3, (3, 2), (3, 2), (1, 2)),
        Of(2, 3, 11, 13, 2, 3, 1, (2, 1), (2, 3)),
        Of(2, 4, 10, 12, 6, 3, (2, 1), (1, 2), (1, 2), 2),
        Of(2, 6, 7, 8, 6, 3, padding: 1, groups: 6),
        Of(2, 4, 9, 8, 8, (3, 2), (2, 1), (1, 0), (1, 2), 4),
        Of(1, 15, 6, 5, 17, 1),
        Of(17, 3, 5, 6, 2, 3, padding: 1),
        Of(16, 1, 6, 7, 8, 3),
        Of(33, 2, 5, 4, 3, 2, (2, 1)),
        Of(2, 1, 4, 6, 3, (4, 6)),                                      // the kernel covers the whole image
        Of(2, 2, 3, 4, 2, (3, 4), padding: (3, 4)),                     // padding ≥ kernel
        Of(1, 2, 3, 3, 2, 5, padding: 2),
        Of(2, 2, 4, 5, 3, 3, padding: (5, 4)),
        Of(2, 3, 12, 10, 4, 3, (4, 5)),                                 // the stride skips pixels
        Of(1, 2, 20, 23, 3, 3, (10, 7)),
        Of(1, 1, 16, 35, 2, 4, 4),                                      // and omits three columns
        Of(2, 4, 13, 14, 4, (1, 3), (2, 3), (0, 1), (1, 4), 2),
        Of(1, 1, 28, 28, 6, 5, padding: 2),                             // LeNet-5
        Of(1, 6, 14, 14, 4, 5),
        Of(2, 3, 8, 33, 2, (1, 9), (1, 2), (0, 4)),
        Of(2, 3, 33, 8, 2, (9, 1), (2, 1), (4, 0)),
        Of(1, 3, 18, 17, 4, 7, 2, 3),                                   // first layer of a ResNet
        Of(4, 5, 9, 10, 7, 3, padding: 1),
        Of(2, 9, 7, 8, 6, 3, padding: 1, groups: 3),
        Of(2, 4, 9, 7, 12, 3, padding: 1, groups: 4),                   // depthwise, three outputs per channel
        Of(1, 1, 1, 1, 1, 1),
        Of(1, 32, 6, 6, 16, 3, padding: 1),
        Of(16, 16, 6, 7, 16, 3, padding: 1),
        Of(5, 8, 10, 9, 24, 3, padding: 1),
        Of(16, 300, 4, 9, 5, 3, padding: 1),                            // more channels in a row than the second-level cache holds
        Of(16, 5, 4, 9, 300, 3, padding: 1),
        Of(2, 3, 6, 8, 4, (2, 4), padding: new(0, 1, 1, 2)),
        Of(2, 2, 7, 9, 3, (4, 2), padding: new(1, 0, 2, 1)),
        Of(2, 2, 9, 8, 2, (2, 4), padding: (1, 3), dilation: 2, bias: false),
        Of(2, 2, 6, 7, 3, 3, (2, 1), new(0, 2, 3, 1), (1, 2)),
        Of(1, 4, 5, 9, 4, (3, 2), (1, 2), new(2, 0, 0, 3), groups: 2),
    ];

    static IEnumerable<Conv2dCase> Modes =>
        from mode in (PaddingMode[])[PaddingMode.Reflect, PaddingMode.Replicate, PaddingMode.Circular]
        from c in (Conv2dCase[])[
            Of(2, 2, 6, 8, 3, (3, 5), padding: (1, 2), mode: mode),
            Of(1, 3, 7, 5, 2, 3, (2, 1), new(2, 1, 1, 3), mode: mode),
            Of(2, 2, 6, 9, 4, (2, 3), (1, 2), new(3, 2, 2, 4), (2, 1), 2, bias: false, mode)]
        select c;

    /// <summary>The grids of PyTorch's test_convolution: size × batch × stride × padding, and stride × kernel × groups × dilation.</summary>
    static IEnumerable<Conv2dCase> Grid() =>
    [
        .. from size in ((int, int)[])[(3, 6), (3, 7), (4, 9)]
           from batch in (int[])[1, 2]
           from stride in (int[])[1, 2]
           from padding in (int[])[0, 1, 2]
           select Of(batch, 2, size.Item2, size.Item2 + 1, 3, size.Item1, stride, padding, bias: padding != 1) with { Whole = batch == 1 ? 3 : 0 },
        .. from stride in (int[])[1, 2]
           from kernel in (int[])[1, 3, 5]
           from groups in (int[])[1, 2, 4]
           from dilation in (int[])[1, 2]
           select Of(2, 4, 9, 11, 4, kernel, stride, 2, dilation, groups) with { Whole = stride == 1 ? 3 : 0 },
    ];

    static IEnumerable<Conv2dCase> Random(int count, int seed)
    {
        TorchGenerator random = new(seed);
        for (int made = 0; made < count;)
        {
            int groups = (int[])[1, 1, 2, 3] is var of ? of[Next(0, 4)] : 0;
            int h = Next(2, 14), w = Next(2, 14);
            Size2d kernel = (Next(1, 5), Next(1, 5)), dilation = (Next(1, 4), Next(1, 4));
            Padding padding = (Next(0, 4), Next(0, 4));
            if (h == w || dilation.Height * (kernel.Height - 1) >= h + 2 * padding.Top || dilation.Width * (kernel.Width - 1) >= w + 2 * padding.Left)
                continue;
            Conv2dCase c = Of(
                Next(1, 4), groups * Next(1, 5), h, w, groups * Next(1, 5), kernel, (Next(1, 4), Next(1, 4)), padding, dilation, groups, Next(0, 4) > 0);
            yield return made++ % 2 == 0 ? Whole(c) : c;
        }

        int Next(int from, int below) => from + (int)(random.NextUInt32() % (below - from));
    }
}
