using MiniCnn.Cases;

namespace MiniCnn.Tests;

/// <summary>
/// Convolutions that tests run: hand-written ones of the case table, corner cases, and small random ones with unequal values on the two axes.
/// </summary>
static class Geometries
{
    public static IEnumerable<Conv2dShape> TableAndRandom(int count, int seed) =>
        [.. Conv2dCases.ByHand.Select(c => c.Geometry), .. Corners, .. Wide, .. Random(count, seed)];

    /// <summary>Source pixel of a padded position i along an axis with the given size, or −1 for a zero.</summary>
    public static int Source(PaddingMode mode, int i, int size) => i >= 0 && i < size ? i : mode switch
    {
        PaddingMode.Zeros => -1,
        PaddingMode.Replicate => Math.Clamp(i, 0, size - 1),
        PaddingMode.Circular => (i + size) % size,
        _ => size - 1 - Math.Abs(size - 1 - Math.Abs(i)),
    };

    /// <summary>Small corner cases.</summary>
    public static Conv2dShape[] Corners =>
    [
        new(2, 1, 5, 7, 1, new((3, 2))),
        new(3, 2, 6, 4, 3, new((2, 3), 1, new(0, 1, 2, 1))),
        new(1, 3, 7, 9, 2, new((3, 2), (2, 3))),                                     // the stride drops a column
        new(2, 2, 9, 8, 2, new((4, 3), (4, 3), (1, 0), 1)),                          // and three rows
        new(2, 2, 8, 6, 2, new((2, 3), (1, 2), (2, 1), (3, 2))),
        new(1, 4, 5, 6, 6, new((3, 2), (2, 1), (1, 2)), 2),
        new(2, 3, 4, 5, 3, new((2, 4), 1, (0, 2)), 3),                               // depthwise
        new(2, 2, 4, 6, 4, new((3, 2), (1, 2), (1, 0), (1, 3)), 2),                  // depthwise, two outputs a channel
        new(2, 3, 4, 5, 2, new((4, 5))),                                             // the kernel is the image
        new(3, 5, 2, 3, 4, new(1)),
        new(1, 2, 3, 2, 2, new((2, 1), (2, 3), (3, 2))),                             // padding ≥ kernel
        new(1, 1, 4, 5, 2, new((1, 2), (2, int.MaxValue))),                          // one output, whatever the stride
        new(1, 1, 5, 4, 2, new((2, 1), (int.MaxValue, 1))),
    ];

    /// <summary>Convolutions with more channels, taps and images than a tile holds, and not a multiple of it.</summary>
    static Conv2dShape[] Wide =>
    [
        new(33, 15, 9, 11, 17, new((3, 5), 1, (1, 2))),
        new(2, 17, 8, 33, 3, new((1, 9), (1, 2), (0, 4))),
        new(15, 8, 7, 6, 8, new((3, 2), (2, 1), 1, 1), 8),
        new(1, 1, 3, 40, 2, new((2, 31))),
        new(1, 28, 3, 103, 28, new((1, 3), (1, 2))),                                 // rows longer than a piece, a stride apart
    ];

    public static IEnumerable<Conv2dShape> Random(int count, int seed)
    {
        Random random = new(seed);
        while (count > 0)
        {
            int groups = random.Next(4) switch { 0 => 2, 1 => 3, _ => 1 };
            int inputs = groups * Few(3, 20), outputs = groups * Few(3, 20);
            PaddingMode mode = random.Next(3) == 0 ? (PaddingMode)random.Next(4) : PaddingMode.Zeros;
            Window2d window = new(
                (Few(4, 8), Few(4, 8)), (Few(3, 5), Few(3, 5)),
                new(random.Next(4), random.Next(4), random.Next(4), random.Next(4)), (random.Next(1, 4), random.Next(1, 4)), mode);
            int batch = random.Next(6) switch { 0 => 0, 1 => 17, 2 => 16, _ => random.Next(1, 4) };
            Conv2dShape shape;
            try
            {
                shape = new(batch, inputs, Few(11, 40), Few(11, 70), outputs, window, groups);
            }
            catch (ArgumentException)
            {
                continue;                                             // the kernel does not fit: draw again
            }
            count--;
            yield return shape;
        }

        // 1 to few of something; one time in ten up to many, more than tiles and vectors hold.
        int Few(int few, int many) => random.Next(1, (random.Next(10) == 0 ? many : few) + 1);
    }
}
