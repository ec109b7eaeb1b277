using System.Diagnostics;
using System.Numerics.Tensors;

namespace MiniCnn.Tests;

[Collection("Workers")]                                               // by itself: it measures the process
public class MemoryTests
{
    [Fact]
    public void Memory_of_another_image_size_is_given_back()
    {
        // Little that the collector sees, so that it does not come by: small tensors in and out, 17 MB between them.
        Sequential model = new(new Conv2d(1, 32, 3, padding: 1), new ReLU(), new MaxPool2d(32));
        Tensor<float>[] images = [Tensor.CreateFromShape<float>([16, 1, 64, 64]), Tensor.CreateFromShape<float>([16, 1, 63, 64])];
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = WorkingSet();
        for (int i = 0; i < 100; i++)
            model.Forward(images[i % 2]);
        Assert.InRange(WorkingSet() - before, long.MinValue, 500_000_000);

        static long WorkingSet()
        {
            using Process self = Process.GetCurrentProcess();
            return self.WorkingSet64;
        }
    }
}
