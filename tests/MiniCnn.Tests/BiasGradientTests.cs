namespace MiniCnn.Tests;

public unsafe class BiasGradientTests
{
    [Theory]
    [MemberData(nameof(LinearTests.Forms), MemberType = typeof(LinearTests))]
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
                fixed (float* p = db)
                {
                    switch (width)
                    {
                        case 16: BiasGradient.Run<float, Lanes16>(tensor, p); break;
                        case 8: BiasGradient.Run<float, Lanes8>(tensor, p); break;
                        case 4: BiasGradient.Run<float, Lanes4>(tensor, p); break;
                        default: BiasGradient.Run<float, Scalar<float>>(tensor, p); break;
                    }
                }
                Assert.Equal(expected, db);
            }
    }
}
