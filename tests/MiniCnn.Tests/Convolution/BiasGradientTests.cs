namespace MiniCnn.Tests;

public unsafe class BiasGradientTests
{
    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Each_channel_gets_its_sum(int lanes, int width)
    {
        foreach (ImageShape shape in (ImageShape[])[new(3, 5, 77), new(40, 1, 4), new(2, 3, 17), ImageShape.Features(30)])
            foreach (int count in (int[])[0, 1, 19])
            {
                int length = (int)shape.Length, plane = shape.Height * shape.Width;
                float[] dy = new Random(1).Integers(count * length), db = new Random(2).Integers(shape.Channels), expected = [.. db];
                for (int i = 0; i < dy.Length; i++)
                    expected[i % length / plane] += dy[i];
                LaneTensor<float> tensor = new LaneTensor<float>(lanes, shape, new(1, 0, 0, 2)).Resize(count);
                tensor.Pack(dy);
                Vectors.Of(width, () =>
                {
                    fixed (float* p = db)
                        BiasGradient.Run(tensor, p);
                });
                Assert.Equal(expected, db);
            }
    }
}
