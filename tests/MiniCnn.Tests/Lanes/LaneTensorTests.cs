namespace MiniCnn.Tests;

/// <summary>Conversion between NCHW and lanes.</summary>
public unsafe class LaneTensorTests
{
    [Fact]
    public void A_transpose_moves_every_number_and_no_other()
    {
        for (int images = 1; images <= 16; images++)
            foreach (int count in (int[])[0, 1, 3, 4, 5, 15, 16, 17, 35])
            {
                Check(images, count, pixelStep: 16, rowStep: count + 3, i => (float)i);
                Check(images, count, pixelStep: 19, rowStep: count + 1, i => (double)i);
            }
        Check(images: 1, count: 35, pixelStep: 1, rowStep: 35, i => (float)i);

        static void Check<T>(int images, int count, int pixelStep, int rowStep, Func<int, T> number) where T : unmanaged
        {
            T[] rows = [.. Enumerable.Range(1, 16 * rowStep).Select(number)], pixels = [.. Enumerable.Range(-1000, (count + 1) * pixelStep).Select(number)];
            T[] expectedRows = [.. rows], expectedPixels = [.. pixels];
            for (int i = 0; i < images; i++)
                for (int p = 0; p < count; p++)
                {
                    expectedPixels[p * pixelStep + i] = rows[i * rowStep + p];
                    expectedRows[i * rowStep + p] = pixels[p * pixelStep + i];
                }
            T[] rowsAfter = [.. rows], pixelsAfter = [.. pixels];
            fixed (T* r = rows, p = pixels, toRows = rowsAfter, toPixels = pixelsAfter)
            {
                Transpose.ToPixels(r, rowStep, toPixels, pixelStep, images, count);
                Transpose.ToRows(p, pixelStep, toRows, rowStep, images, count);
            }
            Assert.Equal(expectedPixels, pixelsAfter);
            Assert.Equal(expectedRows, rowsAfter);
        }
    }

    [Fact]
    public void Images_go_to_their_lanes_and_come_back()
    {
        // Whole rows, rows with margins, an image in several pieces, many rows of few pixels.
        foreach (ImageShape shape in (ImageShape[])[new(3, 5, 6), new(2, 37, 33), new(700, 1, 3), ImageShape.Features(2500)])
            foreach (int lanes in (int[])[16, 1])
                foreach (int count in (int[])[1, 16, 19])
                    foreach (Padding margin in (Padding[])[default, new(1, 0, 0, 0), new(0, 2, 1, 3)])
                        Check(lanes, shape, margin, count);

        static void Check(int lanes, ImageShape shape, Padding margin, int count)
        {
            LaneTensor<float> tensor = new LaneTensor<float>(lanes, shape, margin).Resize(count);
            int length = (int)shape.Length;
            float[] images = [.. Enumerable.Range(1, count * length).Select(i => (float)i)], back = new float[images.Length + 5];
            for (int plane = 0; plane < tensor.Planes; plane++)
                for (int row = 0; row < shape.Height; row++)
                    new Span<float>(tensor.At(plane, row), tensor.RowLength).Fill(float.NaN);
            tensor.Pack(images);
            for (int element = 0; element < length; element++)
            {
                (int line, int column) = Math.DivRem(element, shape.Width);
                (int channel, int row) = Math.DivRem(line, shape.Height);
                for (int image = 0; image < tensor.Blocks * lanes; image++)
                {
                    float here = tensor.At(image / lanes, channel, row)[column * lanes + image % lanes];
                    if (here != (image < count ? images[image * length + element] : 0))              // dead lanes are zero
                        Assert.Fail($"image {image}, element {element} of {count} × {shape} in {lanes} lanes, margin {margin}: {here}");
                }
            }
            nint inside = (nint)shape.Channels * shape.Height * tensor.RowLength, all = tensor.BlockPitch;
            float* memory = tensor.At(0, 0, 0) - margin.Top * tensor.RowPitch - margin.Left * lanes;
            int zeros = new Span<float>(memory, (int)(tensor.Blocks * all)).Count(0f), dead = (tensor.Blocks * lanes - count) * length;
            Assert.Equal(tensor.Blocks * (all - inside) + dead, zeros);                              // the margins are as they were
            tensor.Unpack(back);
            Assert.Equal([.. images, 0, 0, 0, 0, 0], back);
            Assert.Throws<ArgumentOutOfRangeException>(() => tensor.Pack(images.AsSpan()[1..]));
            Assert.Throws<ArgumentOutOfRangeException>(() => tensor.Unpack(back.AsSpan()[6..]));
            LaneTensor<float> copy = new LaneTensor<float>(lanes, shape, new(0, 1, 2, 0)).Resize(count).CopyFrom(tensor);
            Array.Clear(back);
            copy.Unpack(back);
            Assert.Equal([.. images, 0, 0, 0, 0, 0], back);
            tensor.Free();
            copy.Free();
        }
    }
}
