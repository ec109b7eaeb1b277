using System.Numerics.Tensors;

namespace MiniCnn.Tests;

[Collection("Workers")]                                               // one of these tests turns Workers.Count
public class AugmentationTests
{
    const int Count = 400;

    /// <summary>Images of random bytes. The label of each image is its index.</summary>
    static LabeledImages Noise(ImageShape shape, int count = Count)
    {
        byte[] pixels = new byte[count * shape.Length];
        new Random(1).NextBytes(pixels);
        float[] mean = [.. Enumerable.Range(0, shape.Channels).Select(c => 0.5f - 0.1f * c)], std = [.. mean.Select(m => m / 2)];
        return new(pixels, [.. Enumerable.Range(0, count)], shape, count, mean, std);
    }

    /// <summary>The same images with pixels on the scale of the bytes: (x/255 − 0)/(1/255).</summary>
    static LabeledImages Bytes(LabeledImages images) =>
        images.WithNormalization(new float[images.Shape.Channels], [.. Enumerable.Repeat(1 / 255f, images.Shape.Channels)]);

    static float[] Augmented(Augmentation augmentation, LabeledImages images, int index, int seed = 5)
    {
        float[] y = [.. Enumerable.Repeat(float.NaN, (int)images.Shape.Length)];
        augmentation.Apply(images, images.Image(index), index, seed, y);
        return y;
    }

    static float[] Plain(LabeledImages images, int index)
    {
        var image = images.Take(index + 1).Batches(index + 1).Single().Images;
        float[] all = new float[image.FlattenedLength];
        image.FlattenTo(all);
        return all[^(int)images.Shape.Length..];
    }

    static int[] Range(int count) => [.. Enumerable.Range(0, count)];

    [Fact]
    public void Without_an_option_nothing_changes()
    {
        LabeledImages images = Noise(new(3, 6, 7), 20);
        Assert.All(Range(20), i => Assert.Equal(Plain(images, i), Augmented(new(), images, i)));
        Assert.All(Range(20), i => Assert.Equal(0, Plain(images, i).Zip(Augmented(new() { Contrast = 1e-9 }, images, i)).Max(y => Math.Abs(y.First - y.Second)), 1e-4));
    }

    [Fact]
    public void A_flip_is_the_exact_mirror_of_half_the_images()
    {
        LabeledImages images = Noise(new(3, 4, 5));
        bool[] flipped = [.. Range(Count).Select(i =>
        {
            float[] plain = Plain(images, i), y = Augmented(new() { HorizontalFlip = true }, images, i);
            float[] mirror = [.. Range(60).Select(k => plain[k / 5 * 5 + 4 - k % 5])];
            Assert.True(y.SequenceEqual(plain) || y.SequenceEqual(mirror));
            return y.SequenceEqual(mirror);
        })];
        Assert.InRange(flipped.Count(f => f), 160, 240);                       // 4 deviations of 10 either way
        Assert.InRange(Range(Count - 1).Count(i => flipped[i] != flipped[i + 1]), 160, 240);
    }

    [Fact]
    public void A_crop_after_padding_is_a_shift_with_the_edges_repeated()
    {
        LabeledImages images = Noise(new(2, 6, 9));
        int[] times = new int[25];
        foreach (int i in Range(Count))
        {
            float[] plain = Plain(images, i), y = Augmented(new() { CropPadding = 2 }, images, i);
            int[] shifts = [.. Range(25).Where(shift => y.SequenceEqual(Range(108).Select(k =>
                plain[k / 54 * 54 + Math.Clamp(k / 9 % 6 + shift / 5 - 2, 0, 5) * 9 + Math.Clamp(k % 9 + shift % 5 - 2, 0, 8)])))];
            times[Assert.Single(shifts)]++;
        }
        Assert.All(times, n => Assert.InRange(n, 3, 35));                      // 16 each, deviation 4
        float[] far = Augmented(new() { CropPadding = int.MaxValue }, images, 3);
        Assert.Single(far[..54].Distinct());                                   // far beyond a corner
    }

    // What the first augmentations of seed 7 have been since there is augmentation: a change would make runs others that go on from a checkpoint.
    [Fact]
    public void The_random_numbers_stay_as_they_are()
    {
        byte[] pixels = [.. Range(6 * 63).Select(i => (byte)(1 + i % 63 * 4))];
        LabeledImages images = new(pixels, Range(6), new(1, 7, 9), 6, [0], [1 / 255f]);
        Augmentation exact = new() { HorizontalFlip = true, CropPadding = 2, Cutout = 3 };
        Are(exact, [[49, 0, 29, 145, 173], [121, 1, 29, 0, 245], [61, 33, 9, 177, 153], [45, 25, 1, 169, 145]]);
        Are(new() { Scale = 0.5 }, [[122.577f, 4.686f, 34.651f, 210.503f, 240.467f], [122.296f, 16.571f, 40.111f, 204.481f, 228.020f]]);
        Are(new() { Brightness = 0.4, Contrast = 0.3 }, [[154.088f, 20.658f, 55.091f, 241.241f, 241.241f], [121.405f, 31.683f, 54.837f, 187.973f, 211.127f]]);

        void Are(Augmentation augmentation, float[][] expected)
        {
            foreach (int i in Range(expected.Length))
            {
                float[] y = Augmented(augmentation, images, i, seed: 7);
                Assert.All(expected[i].Zip((float[])[y[31], y[0], y[8], y[54], y[62]]), pair => Assert.Equal(pair.First, pair.Second, 1e-3f));
            }
        }
    }

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(false, true, true)]
    [InlineData(true, false, false)]
    [InlineData(true, true, false)]
    [InlineData(true, false, true)]
    public void Quarter_turns_and_flips_are_exact_and_as_many_of_each(bool turns, bool horizontal, bool vertical)
    {
        (int height, int width) = (turns ? 5 : 4, 5);
        LabeledImages images = Noise(new(3, height, width));
        Dictionary<string, int> times = [];
        foreach (int i in Range(Count))
        {
            float[] plain = Plain(images, i), y = Augmented(new() { QuarterTurns = turns, HorizontalFlip = horizontal, VerticalFlip = vertical }, images, i);
            string[] names = [.. from turn in Range(turns ? 4 : 1)
                                 from left in (bool[])[false, true]
                                 from up in (bool[])[false, true]
                                 where (horizontal || !left) && (vertical || !up) && y.SequenceEqual(Image(plain, turn, left, up))
                                 select $"{turn} {left} {up}"];
            string name = turns && (horizontal || vertical) ? names[0] : Assert.Single(names);            // mirrored, then turned: of those that are equal one
            times[name] = times.GetValueOrDefault(name) + 1;
        }
        int kinds = (turns ? 4 : 1) * (horizontal ? 2 : 1) * (vertical ? 2 : 1);
        double mean = Count / (double)kinds;
        Assert.Equal(kinds, times.Count);
        Assert.All(times.Values, n => Assert.Equal(mean, n, 4 * Math.Sqrt(mean * (1 - 1.0 / kinds))));    // 4 deviations

        // Mirrored, then turned by so many quarters to the left, pixel by pixel.
        float[] Image(float[] x, int turn, bool left, bool up)
        {
            float[] result = x;
            foreach (int step in Range(turn + 2))
            {
                float[] from = result;
                result = [.. Range(x.Length).Select(k =>
                {
                    (int plane, int row, int column) = (k / (height * width) * height * width, k / width % height, k % width);
                    return step switch
                    {
                        0 => from[plane + row * width + (left ? width - 1 - column : column)],
                        1 => from[plane + (up ? height - 1 - row : row) * width + column],
                        _ => from[plane + column * width + width - 1 - row],
                    };
                })];
            }
            return result;
        }
    }

    // As below: channel 0 tells the column and channel 1 the row of the image that each pixel came from, where they are not cut off.
    [Theory]
    [InlineData(21, 27, 30, 1.0, 0)]
    [InlineData(24, 20, 180, 1.0, 0)]
    [InlineData(25, 25, 90, 0.5, 2)]
    public void A_rotation_turns_about_the_middle_and_is_bilinear(int height, int width, double degrees, double scale, int padding)
    {
        int plane = height * width;
        const int Images = 200;
        byte[] pixels = new byte[Images * 3 * plane];
        new Random(2).NextBytes(pixels);
        foreach (int i in Range(Images))
            foreach (int k in Range(plane))
                (pixels[i * 3 * plane + k], pixels[i * 3 * plane + plane + k]) = ((byte)(9 * (k % width)), (byte)(9 * (k / width)));
        LabeledImages images = new(pixels, new int[Images], new(3, height, width), 1, new float[3], [1 / 255f, 1 / 255f, 1 / 255f]);
        List<double> angles = [];
        foreach (int i in Range(Images))
        {
            Augmentation augmentation = new() { Rotation = degrees, Scale = scale, CropPadding = padding };
            float[] y = Augmented(augmentation, images, i), still = Augmented(augmentation with { Rotation = 0 }, images, i);
            double Column(float[] of, int row, int column) => of[row * width + column] / 9.0;
            double Row(float[] of, int row, int column) => of[plane + row * width + column] / 9.0;
            (int r, int c) = (height / 2, width / 2);
            double wide = Column(still, r, c + 1) - Column(still, r, c), tall = Row(still, r + 1, c) - Row(still, r, c);
            double cosine = (Column(y, r, c + 1) - Column(y, r, c)) / wide, sine = (Row(y, r, c + 1) - Row(y, r, c)) / wide;
            Assert.Equal(1, cosine * cosine + sine * sine, 1e-3);
            angles.Add(double.RadiansToDegrees(Math.Atan2(sine, cosine)));
            foreach (int k in Range(plane))
            {
                // Where the crop has this pixel, from the middle of the image, turned.
                double right = Column(still, r, c) + wide * (k % width - c) - (width - 1) / 2.0, down = Row(still, r, c) + tall * (k / width - r) - (height - 1) / 2.0;
                double column = Math.Clamp((width - 1) / 2.0 + cosine * right - sine * down, 0, width - 1);
                double row = Math.Clamp((height - 1) / 2.0 + sine * right + cosine * down, 0, height - 1);
                Assert.Equal(column, Column(y, k / width, k % width), 5e-3);
                Assert.Equal(row, Row(y, k / width, k % width), 5e-3);
                (int above, int left) = ((int)Row(y, k / width, k % width), (int)Column(y, k / width, k % width));
                (int below, int next) = (Math.Min(above + 1, height - 1), Math.Min(left + 1, width - 1));
                (double v, double h) = (Row(y, k / width, k % width) - above, Column(y, k / width, k % width) - left);
                double At(int ry, int rx) => images.Image(i)[2 * plane + ry * width + rx];
                double expected = (1 - v) * ((1 - h) * At(above, left) + h * At(above, next)) + v * ((1 - h) * At(below, left) + h * At(below, next));
                Assert.Equal(expected, y[2 * plane + k], 0.05);
            }
        }
        Assert.InRange(angles.Min(), -degrees - 0.1, -0.94 * degrees);
        Assert.InRange(angles.Max(), 0.94 * degrees, degrees + 0.1);
        Assert.Equal(0, angles.Average(), 0.165 * degrees);                    // 4 deviations of 0.58/√200
    }

    // Channel 0 grows by 3 a column and channel 1 by 3 a row: between them bilinear sampling is exact, so they tell where each pixel came from.
    // Channel 2 is noise, which must then come from there too.
    [Theory]
    [InlineData(33, 41, 0.6, 0, false)]
    [InlineData(40, 37, 0.08, 0, false)]
    [InlineData(33, 33, 0.6, 4, true)]
    [InlineData(11, 600, 0.5, 0, true)]
    public void A_resized_crop_is_bilinear_between_the_pixels_it_covers(int height, int width, double scale, int padding, bool flip)
    {
        int stepX = width > 80 ? 0 : 3, stepY = height > 80 ? 0 : 3, plane = height * width, count = width > 80 ? 20 : 200;
        byte[] pixels = new byte[count * 3 * plane];
        new Random(2).NextBytes(pixels);
        foreach (int i in Range(count))
            foreach (int k in Range(plane))
                (pixels[i * 3 * plane + k], pixels[i * 3 * plane + plane + k]) = ((byte)(stepX == 0 ? 0 : 3 * (k % width)), (byte)(3 * (k / width)));
        LabeledImages images = new(pixels, new int[count], new(3, height, width), 1, new float[3], [1 / 255f, 1 / 255f, 1 / 255f]);
        Augmentation augmentation = new() { Scale = scale, CropPadding = padding, HorizontalFlip = flip };
        List<double> shares = [], heights = [], widths = [];                   // the rectangle's area, and where in the room it has it lies
        foreach (int i in Range(count))
        {
            float[] y = Augmented(augmentation, images, i);
            (double top, double tall) = Line([.. Range(height).Select(row => y[plane + row * width] / 3.0)], height);
            Near(2e-3, k => 3 * Math.Clamp(top + tall * (k / width), 0, height - 1), y.AsSpan(plane, plane));
            Inside(top, tall, height, heights);
            if (stepX == 0)
                continue;
            (double left, double wide) = Line([.. Range(width).Select(column => y[column] / 3.0)], width);
            Near(2e-3, k => 3 * Math.Clamp(left + wide * (k % width), 0, width - 1), y.AsSpan(0, plane));
            Assert.True(flip || wide > 0);
            if (wide < 0)
                (left, wide) = (left + wide * (width - 1), -wide);
            Inside(left, wide, width, widths);
            Assert.InRange(wide / tall, 0.7499, 1.3334);
            shares.Add(wide * tall);
            Near(0.05, k => Sampled(i, y[plane + k] / 3, y[k] / 3), y.AsSpan(2 * plane));
        }
        if (stepX == 0)
            return;
        Assert.InRange(shares.Min(), scale - 1e-3, scale + 0.1 * (1 - scale));
        Assert.InRange(shares.Max(), 1 - 0.1 * (1 - scale), 1.001);
        Assert.Equal((1 + scale) / 2, shares.Average(), (1 - scale) * 0.09);                     // 4 deviations of 0.29/√200
        Assert.InRange(heights.Zip(widths).Count(place => place.First < 0.5 && place.Second < 0.5), 26, 74);   // a quarter of them, within 4 deviations

        void Near(double tolerance, Func<int, double> expected, ReadOnlySpan<float> values)
        {
            for (int k = 0; k < plane; k++)
                if (!(Math.Abs(expected(k) - values[k]) <= tolerance))
                    Assert.Fail($"pixel {k} is {values[k]}, not {expected(k)}");
        }

        void Inside(double start, double step, int size, List<double> places)
        {
            double first = start - (step - 1) / 2;                                               // the edge of the rectangle, in pixels
            Assert.InRange(first, -padding - 1e-3, size * (1 - step) + padding + 1e-3);
            places.Add((first + padding) / (size * (1 - step) + 2 * padding));
        }

        double Sampled(int i, double row, double column)
        {
            ReadOnlySpan<byte> source = images.Image(i).Slice(2 * plane, plane);
            int r = (int)row, c = (int)column, below = Math.Min(r + 1, height - 1), right = Math.Min(c + 1, width - 1);
            double v = row - r, h = column - c;
            return (1 - v) * ((1 - h) * source[r * width + c] + h * source[r * width + right])
                + v * ((1 - h) * source[below * width + c] + h * source[below * width + right]);
        }

        // The straight line through what is not cut off at the ends.
        static (double Start, double Step) Line(double[] at, int size)
        {
            int[] free = [.. Enumerable.Range(0, size).Where(i => at[i] > 1e-3 && at[i] < size - 1 - 1e-3)];
            double step = (at[free[^1]] - at[free[0]]) / (free[^1] - free[0]);
            return (at[free[0]] - free[0] * step, step);
        }
    }

    static double FactorOf(Augmentation only, LabeledImages images, int i)
    {
        float[] x = Plain(images, i), y = Augmented(only, images, i);
        int[] free = [.. Range(x.Length).Where(k => y[k] > 0.01 && y[k] < 254.99)];
        int low = free.MinBy(k => x[k]), high = free.MaxBy(k => x[k]);
        return only.Contrast > 0 ? (y[high] - y[low]) / (x[high] - x[low]) : y[high] / x[high];
    }

    static double Grey(double[] x, int channels)
    {
        double[] weights = channels == 3 ? [0.2989, 0.587, 0.114] : [.. Enumerable.Repeat(1.0 / channels, channels)];
        return x.Chunk(x.Length / channels).Zip(weights, (plane, weight) => weight * plane.Average()).Sum();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Brightness_multiplies_and_contrast_leaves_the_mean_grey(int channels)
    {
        LabeledImages images = Bytes(Noise(new(channels, 9, 8)));
        Augmentation bright = new() { Brightness = 0.4 }, contrast = new() { Contrast = 0.7 }, both = new() { Brightness = 0.4, Contrast = 0.7 };
        List<double> brights = [], contrasts = [];
        foreach (int i in Range(Count))
        {
            double b = FactorOf(bright, images, i), c = FactorOf(contrast, images, i);
            double[] x = [.. Plain(images, i).Select(v => (double)v)], brighter = [.. x.Select(v => Math.Min(b * v, 255))];
            Near(brighter, Augmented(bright, images, i));
            Near([.. x.Select(v => Math.Clamp(c * v + (1 - c) * Grey(x, channels), 0, 255))], Augmented(contrast, images, i));
            Near([.. brighter.Select(v => Math.Clamp(c * v + (1 - c) * Grey(brighter, channels), 0, 255))], Augmented(both, images, i));
            brights.Add(b);
            contrasts.Add(c);
        }
        Uniform(brights, 0.6, 1.4);
        Uniform(contrasts, 0.3, 1.7);
        Uniform([.. Range(Count).Select(i => FactorOf(new() { Brightness = 2 }, images, i))], 0, 3);       // not below 0

        static void Near(double[] expected, float[] y) => Assert.True(expected.Zip(y).Max(pair => Math.Abs(pair.First - pair.Second)) < 1e-2);

        static void Uniform(List<double> factors, double least, double most)
        {
            double width = most - least;
            Assert.InRange(factors.Min(), least - 1e-3, least + 0.05 * width);
            Assert.InRange(factors.Max(), most - 0.05 * width, most + 1e-3);
            Assert.Equal((least + most) / 2, factors.Average(), 0.06 * width);                             // 4 deviations of 0.29/√400
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(100)]
    public void A_cutout_is_a_square_about_any_pixel(int side)
    {
        LabeledImages images = Noise(new(2, 7, 10));
        HashSet<(int, int)> centres = [];
        foreach (int i in Range(Count))
        {
            float[] plain = Plain(images, i), y = Augmented(new() { Cutout = side }, images, i);
            (int, int)[] fits = [.. Range(70).Select(k => (k / 10, k % 10)).Where(at =>
                y.SequenceEqual(Range(140).Select(k => Within(k / 10 % 7 - at.Item1) && Within(k % 10 - at.Item2) ? 0 : plain[k])))];
            if (side < 100)
                centres.Add(Assert.Single(fits));
            else
                Assert.Equal(70, fits.Length);
        }
        Assert.Equal(side < 100 ? 70 : 0, centres.Count);                      // every pixel

        bool Within(int place) => place >= -(side / 2) && place < side - side / 2;
    }

    // The random numbers of an option are its own.
    [Fact]
    public void One_option_does_not_change_what_another_does()
    {
        LabeledImages images = Noise(new(1, 8, 8));
        Augmentation shift = new() { HorizontalFlip = true, CropPadding = 3, Scale = 0.5 };
        foreach (int i in Range(Count))
        {
            float[] without = Augmented(shift, images, i), with = Augmented(shift with { Cutout = 3 }, images, i);
            Assert.InRange(Range(64).Count(k => with[k] != without[k]), 3, 9);
            Assert.All(Range(64), k => Assert.True(with[k] == without[k] || with[k] == 0));
        }
    }

    [Fact]
    public void An_option_that_mirrors_or_turns_does_not_change_what_another_does()
    {
        LabeledImages images = Noise(new(1, 8, 8));
        Augmentation other = new() { CropPadding = 3, Scale = 0.5, Rotation = 40, Brightness = 0.4 };
        foreach (int i in Range(Count))
        {
            float[] without = Augmented(other, images, i), with = Augmented(other with { VerticalFlip = true, QuarterTurns = true }, images, i);
            Assert.True(without.Order().Zip(with.Order()).All(pair => Math.Abs(pair.First - pair.Second) < 1e-5));
        }
    }

    static readonly Augmentation all = new()
    {
        HorizontalFlip = true,
        VerticalFlip = true,
        Rotation = 20,
        CropPadding = 2,
        Scale = 0.5,
        Brightness = 0.3,
        Contrast = 0.3,
        Cutout = 3,
    };

    // A checkpoint knows a run's augmentation by this text.
    [Fact]
    public void The_text_says_every_option_that_is_on()
    {
        Assert.Equal("none", $"{new Augmentation()}");
        Assert.Equal("HorizontalFlip, CropPadding 2, Scale 0.5", $"{new Augmentation { HorizontalFlip = true, CropPadding = 2, Scale = 0.5 }}");
        Assert.All(typeof(Augmentation).GetProperties(), property =>
        {
            (object value, string text) = property.GetValue(new Augmentation()) switch
            {
                bool => (true, ""),
                int => ((object)3, " 3"),
                _ => (0.25, " 0.25"),
            };
            Augmentation one = new();
            property.SetValue(one, value);
            Assert.Equal(property.Name + text, $"{one}");
        });
    }

    [Fact]
    public void What_happens_is_a_function_of_seed_and_index()
    {
        LabeledImages images = Noise(new(1, 8, 8), 2), same = new([.. images.Pixels[..64], .. images.Pixels[..64]], [0, 0], images.Shape, 1, [0], [1]);
        Assert.Equal(Augmented(all, images, 1), Augmented(all, images, 1));
        Assert.NotEqual(Augmented(all, same, 0), Augmented(all, same, 1));
        float[][] seeds = [.. Enumerable.Range(-50, 100).Select(seed => Augmented(all, images, 1, seed))];
        Assert.Equal(100, seeds.DistinctBy(y => string.Join(' ', y)).Count());
    }

    [Fact]
    public void Batches_are_augmented_alike_whatever_their_size_and_the_threads()
    {
        LabeledImages images = Noise(new(2, 8, 7), 50);
        foreach (int threads in (int[])[1, 2, 3, 8])
            foreach (int batchSize in (int[])[1, 7, 50])
                Threads.Of(threads, () =>
                {
                    List<int> order = [];
                    foreach ((Tensor<float> x, int[] labels) in images.Batches(batchSize, seed: 5, all))
                    {
                        Assert.Equal(labels.SelectMany(i => Augmented(all, images, i)), x);
                        order.AddRange(labels);
                    }
                    Assert.Equal(Permutation.Random(50, seed: 5), order);
                    Assert.Equal(Range(50).SelectMany(i => Plain(images, i)), images.Batches(batchSize).SelectMany(batch => batch.Images.ToArray()));
                });
    }

    [Fact]
    public void What_makes_no_sense_is_refused()
    {
        Refused("Rotation must be from 0 to 180", () => new() { Rotation = -1 });
        Refused("Rotation must be from 0 to 180", () => new() { Rotation = double.NaN });
        Assert.Equal(
            "QuarterTurns needs square images, not 1×2×3; use Rotation or the flips instead",
            Assert.Throws<ArgumentException>(() => Noise(new(1, 2, 3), 3).Batches(2, 0, new() { QuarterTurns = true })).Message);
        Refused("CropPadding must be 0 or more", () => new() { CropPadding = -1 });
        Refused("Scale must be above 0 and at most 1", () => new() { Scale = 0 });
        Refused("Scale must be above 0 and at most 1", () => new() { Scale = 1.01 });
        Refused("Scale must be above 0 and at most 1", () => new() { Scale = double.NaN });
        Refused("Brightness must be from 0 to 1000", () => new() { Brightness = -0.1 });
        Refused("Brightness must be from 0 to 1000", () => new() { Brightness = double.PositiveInfinity });
        Refused("Contrast must be from 0 to 1000", () => new() { Contrast = double.NaN });
        Refused("Cutout must be 0 or more", () => new() { Cutout = -1 });
        Assert.StartsWith(
            "augmentation needs a seed", Assert.Throws<ArgumentException>(() => Noise(new(1, 2, 2), 3).Batches(2, augmentation: all)).Message,
            StringComparison.Ordinal);

        static void Refused(string fault, Func<Augmentation> make) =>
            Assert.StartsWith(fault, Assert.Throws<ArgumentOutOfRangeException>(make).Message, StringComparison.Ordinal);
    }
}
