namespace MiniCnn.Tests;

public class ChildProcessTests
{
    [Theory]
    [InlineData("DOTNET_EnableAVX512", 8)]
    [InlineData("DOTNET_EnableAVX2", 4)]
    [InlineData("DOTNET_EnableHWIntrinsic", 1)]
    public void Layers_hold_with_narrower_vectors(string off, int width) => ChildProcess.Run(Math.Min(width, Simd.Width), off);

    [Fact]
    public void No_layer_reads_or_writes_outside_its_tensors()
    {
        if (!OperatingSystem.IsWindows())                             // which has other calls for pages
            ChildProcess.Run(Simd.Width, guarded: true);
    }
}
