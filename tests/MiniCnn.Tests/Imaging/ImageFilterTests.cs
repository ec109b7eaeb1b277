using System.Numerics.Tensors;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class ImageFilterTests
{
    [Fact]
    public void The_bank_has_the_numbers_of_the_literature()
    {
        (string Name, float Share, float[] Numbers)[] expected =
        [
            ("identity", 1, [0, 0, 0, 0, 1, 0, 0, 0, 0]),
            ("box blur 3×3", 1 / 9f, [1, 1, 1, 1, 1, 1, 1, 1, 1]),
            ("box blur 5×5", 1 / 25f, [.. Enumerable.Repeat(1f, 25)]),
            ("gaussian blur", 0.0625f, [1, 2, 1, 2, 4, 2, 1, 2, 1]),
            ("sharpen", 1, [0, -1, 0, -1, 5, -1, 0, -1, 0]),
            ("outline", 1, [-1, -1, -1, -1, 8, -1, -1, -1, -1]),
            ("emboss", 1, [-2, -1, 0, -1, 1, 1, 0, 1, 2]),
            ("prewitt horizontal", 1, [1, 1, 1, 0, 0, 0, -1, -1, -1]),
            ("prewitt vertical", 1, [1, 0, -1, 1, 0, -1, 1, 0, -1]),
            ("sobel horizontal", 1, [1, 2, 1, 0, 0, 0, -1, -2, -1]),
            ("sobel vertical", 1, [1, 0, -1, 2, 0, -2, 1, 0, -1]),
            ("scharr horizontal", 1, [3, 10, 3, 0, 0, 0, -3, -10, -3]),
            ("scharr vertical", 1, [3, 0, -3, 10, 0, -10, 3, 0, -3]),
            ("laplacian", 1, [0, 1, 0, 1, -4, 1, 0, 1, 0]),
        ];
        Assert.Equal(expected.Select(e => e.Name), ImageFilters.All.Select(f => f.Name));
        foreach ((ImageFilter filter, (_, float share, float[] numbers)) in ImageFilters.All.Zip(expected))
        {
            Assert.Equal(numbers.Select(n => n * share), filter.Kernel.ToArray());
            Assert.Equal(filter.Kernel.Length, filter.Size.Height * filter.Size.Width);
            Assert.NotEmpty(filter.Description);
        }
    }

    [Theory]
    [InlineData(PaddingMode.Zeros)]
    [InlineData(PaddingMode.Reflect)]
    [InlineData(PaddingMode.Replicate)]
    [InlineData(PaddingMode.Circular)]
    public void Every_filter_is_a_sum_of_products_around_each_pixel(PaddingMode mode)
    {
        Random random = new(1);
        ImageFilter uneven = new("2×4", new float[,] { { 1, -2, 3, -4 }, { 0.5f, 0.25f, -0.125f, 2 } });
        foreach (ImageFilter filter in ImageFilters.All.Append(uneven))
            foreach (int channels in new[] { 1, 3 })
            {
                Picture picture = new(23, 14, channels);
                random.NextBytes(picture.Pixels);
                Picture filtered = filter.Apply(picture, paddingMode: mode);
                Assert.Equal((23, 14, channels), (filtered.Width, filtered.Height, filtered.Channels));
                for (int y = 0; y < 14; y++)
                    for (int x = 0; x < 23; x++)
                        for (int c = 0; c < channels; c++)
                        {
                            double sum = 0;
                            for (int ky = 0; ky < filter.Size.Height; ky++)
                                for (int kx = 0; kx < filter.Size.Width; kx++)
                                {
                                    // The odd one of an even kernel's padding is below, or on the right.
                                    int iy = Place(y + ky - (filter.Size.Height - 1) / 2, 14), ix = Place(x + kx - (filter.Size.Width - 1) / 2, 23);
                                    if (iy >= 0 && ix >= 0)
                                        sum += filter.Kernel[ky * filter.Size.Width + kx] * picture.Pixels[(iy * 23 + ix) * channels + c];
                                }
                            Assert.InRange(Math.Clamp(sum, 0, 255) - filtered.Pixels[(y * 23 + x) * channels + c], -0.501, 0.501);
                        }
            }

        // −1 for a zero; else the pixel that stands there, by PyTorch's names.
        int Place(int i, int size) => i >= 0 && i < size ? i : mode switch
        {
            PaddingMode.Reflect => i < 0 ? -i : 2 * size - 2 - i,
            PaddingMode.Replicate => Math.Clamp(i, 0, size - 1),
            PaddingMode.Circular => (i + size) % size,
            _ => -1,
        };
    }

    [Fact]
    public void Identity_leaves_every_byte_as_it_is()
    {
        Picture picture = new(16, 16, channels: 1);
        for (int i = 0; i < 256; i++)
            picture.Pixels[i] = (byte)i;
        Assert.Equal(picture.Pixels, ImageFilters.Identity.Apply(picture).Pixels);
    }

    [Fact]
    public void Sizes_are_those_of_the_lecture_and_the_article()
    {
        Picture flower = new(612, 459, channels: 1), cat = new(224, 224, channels: 1);
        Assert.Equal((608, 455), Size(ImageFilters.BoxBlur5.Apply(flower, Padding.Valid)));
        Assert.Equal((610, 457), Size(ImageFilters.PrewittHorizontal.Apply(flower, Padding.Valid)));
        Assert.Equal((612, 459), Size(ImageFilters.BoxBlur5.Apply(flower)));
        Assert.Equal((612, 459), Size(ImageFilters.BoxBlur5.Apply(flower, 2)));
        Assert.Equal((222, 222), Size(ImageFilters.Sharpen.Apply(cat, Padding.Valid)));
        Assert.Equal((220, 220), Size(ImageFilters.Sharpen.Apply(ImageFilters.Sharpen.Apply(cat, Padding.Valid), Padding.Valid)));
        Assert.Equal((220, 220), Size(ImageFilters.BoxBlur5.Apply(cat, Padding.Valid)));
        Assert.Equal((224, 224), Size(ImageFilters.Sharpen.Apply(cat, 1)));

        static (int Width, int Height) Size(Picture picture) => (picture.Width, picture.Height);
    }

    [Fact]
    public void The_lectures_image_and_kernel_give_its_numbers_over_nine()
    {
        float[] image = [1, 2, 4, 2, 1, 4, 7, 3, 2, 1, 4, 5, 2, 3, 1, 2, 1, 7, 8, 4, 3, 2, 4, 7, 8];
        Conv2d convolution = new(1, 1, 3, bias: false);
        ImageFilter.Parse("1 0 1; 0 2 1; 1 0 1").DividedByArea().CopyTo(convolution.Weight, 0);
        float[] y = convolution.Forward(Tensor.Create(image, [1, 1, 5, 5])).AsSpan().ToArray();
        float[] expected = [28, 20, 13, 28, 25, 22, 22, 39, 35];
        Assert.All(y.Zip(expected), pair => Assert.Equal(pair.Second / 9, pair.First, 1e-5f));
    }

    [Fact]
    public void Horizontal_finds_horizontal_edges_and_answers_to_what_is_bright_above()
    {
        Picture above = new(9, 9, channels: 1), left = new(9, 9, channels: 1);
        for (int i = 0; i < 81; i++)
            (above.Pixels[i], left.Pixels[i]) = ((byte)(i / 9 < 4 ? 20 : 10), (byte)(i % 9 < 4 ? 20 : 10));
        foreach (ImageFilter filter in ImageFilters.All.Where(f => f.Name.EndsWith("horizontal", StringComparison.Ordinal)))
        {
            Assert.Equal(10 * filter.Kernel[..3].ToArray().Sum(), filter.Apply(above).Pixels[4 * 9 + 4]);
            Assert.Equal(0, filter.Apply(left).Pixels[4 * 9 + 4]);
        }
        foreach (ImageFilter filter in ImageFilters.All.Where(f => f.Name.EndsWith("vertical", StringComparison.Ordinal)))
        {
            Assert.Equal(0, filter.Apply(above).Pixels[4 * 9 + 4]);
            Assert.True(filter.Apply(left).Pixels[4 * 9 + 4] >= 30);
            Assert.Equal(0, filter.Flipped().Apply(left).Pixels[4 * 9 + 4]);
        }
    }

    [Fact]
    public void In_a_layer_a_kernel_stands_in_the_middle_of_one_output_channel()
    {
        Conv2d convolution = new(2, 3, (5, 3));
        float[] before = convolution.Weight.Value.AsSpan().ToArray();
        ImageFilters.SobelVertical.CopyTo(convolution.Weight, 1);
        float[] after = convolution.Weight.Value.AsSpan().ToArray();
        Assert.Equal(before[..30], after[..30]);
        Assert.Equal(before[60..], after[60..]);
        float[] half = [0, 0, 0, 0.5f, 0, -0.5f, 1, 0, -1, 0.5f, 0, -0.5f, 0, 0, 0];
        Assert.Equal([.. half, .. half], after[30..60]);

        Assert.Throws<ArgumentException>(() => ImageFilters.BoxBlur5.CopyTo(convolution.Weight, 0));            // larger
        Assert.Throws<ArgumentException>(() => ImageFilters.Sharpen.CopyTo(new Conv2d(1, 1, 4).Weight, 0));     // no middle
        Assert.Throws<ArgumentException>(() => ImageFilters.Sharpen.CopyTo(new Linear(9, 1).Weight, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageFilters.Sharpen.CopyTo(convolution.Weight, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageFilters.Sharpen.CopyTo(convolution.Weight, -1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Training_leaves_a_frozen_kernel_and_goes_on_from_one_that_is_not(bool trainable)
    {
        Conv2d convolution = new(1, 2, 3, padding: 1);
        Sequential model = new(convolution, new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(2 * 4 * 4, 3));
        model.Initialize(1);
        ImageFilters.SobelHorizontal.CopyTo(convolution.Weight, 0);
        ImageFilters.SobelVertical.CopyTo(convolution.Weight, 1);
        convolution.Weight.Trainable = trainable;
        float[] start = convolution.Weight.Value.AsSpan().ToArray();
        Tensor<float> x = Tensor.Create([.. Enumerable.Range(0, 128).Select(i => MathF.Sin(i * i))], [2, 1, 8, 8]);
        CrossEntropyLoss loss = new();
        Sgd optimizer = new(model.Parameters, learningRate: 0.1f);
        loss.Forward(model.Forward(x, training: true), [0, 2]);
        model.Backward(loss.Backward());
        optimizer.Step();
        Assert.Equal(trainable, !start.SequenceEqual(convolution.Weight.Value.AsSpan().ToArray()));
        Assert.Equal([1, 2, 1, 0, 0, 0, -1, -2, -1, 1, 0, -1, 2, 0, -2, 1, 0, -1], start);
    }

    [Fact]
    public void Kernels_are_read_turned_and_divided()
    {
        ImageFilter filter = ImageFilter.Parse(" 1 -2\t3 ; 4 1/2 6e0 ");
        Assert.Equal((Size2d)(2, 3), filter.Size);
        Assert.Equal([1, -2, 3, 4, 0.5f, 6], filter.Kernel.ToArray());
        Assert.Equal([6, 0.5f, 4, 3, -2, 1], filter.Flipped().Kernel.ToArray());
        Assert.Equal([1 / 6f, -2 / 6f, 0.5f, 4 / 6f, 0.5f / 6, 1], filter.DividedByArea().Kernel.ToArray());
        Assert.Equal([1 / 12.5f, -2 / 12.5f, 3 / 12.5f, 4 / 12.5f, 0.5f / 12.5f, 6 / 12.5f], filter.DividedBySum().Kernel.ToArray());
        Assert.Equal(ImageFilters.BoxBlur3.Kernel.ToArray(), ImageFilter.Parse("1 1 1; 1 1 1; 1 1 1").DividedByArea().Kernel.ToArray());
        Assert.Equal((Size2d)(2, 3), filter.Flipped().Size);
        foreach (string text in new[] { "", ";", "1 2; 3", "1 x", "1/0", "NaN", "1/2/3", "1;;2", "1 ∞" })
            Assert.Throws<FormatException>(() => ImageFilter.Parse(text));
        ImageFilter[] zeros = [ImageFilters.Laplacian, ImageFilters.ScharrVertical, ImageFilter.Parse("0.1 0.2 -0.3"), ImageFilter.Parse("0")];
        foreach (ImageFilter zero in zeros)
            Assert.Throws<ArgumentException>(zero.DividedBySum);
        Assert.Throws<ArgumentException>(() => new ImageFilter("none", new float[0, 3]));
        Assert.Throws<ArgumentException>(() => new ImageFilter("none", new[,] { { float.NaN } }));

        float[,] own = { { 1 } };
        ImageFilter kept = new("own", own);
        own[0, 0] = 2;
        Assert.Equal([1], kept.Kernel.ToArray());
    }
}
