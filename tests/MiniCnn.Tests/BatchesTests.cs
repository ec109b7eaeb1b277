using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MiniCnn.Tests;

public class BatchesTests
{
    // The first ten of generator.randperm_100_seed_42, recorded from TorchSharp 0.106.0.
    [Fact]
    public void A_permutation_is_the_one_TorchSharp_recorded() =>
        Assert.Equal([42, 96, 62, 98, 46, 95, 60, 24, 78, 16], Permutation.Random(100, seed: 42)[..10]);

    // torch.manual_seed(seed); torch.randperm(10) of PyTorch 1.13.1.
    [Theory]
    [InlineData(0, new[] { 4, 1, 7, 5, 3, 9, 0, 8, 6, 2 })]
    [InlineData(1, new[] { 5, 6, 1, 2, 0, 8, 9, 3, 7, 4 })]
    [InlineData(42, new[] { 2, 6, 1, 8, 4, 5, 0, 9, 3, 7 })]
    [InlineData(-1, new[] { 1, 4, 6, 2, 0, 5, 8, 7, 9, 3 })]
    [InlineData(int.MaxValue, new[] { 1, 9, 7, 4, 0, 5, 6, 8, 3, 2 })]
    public void A_permutation_is_torch_randperm(int seed, int[] expected) => Assert.Equal(expected, Permutation.Random(10, seed));

    // SHA-256 of torch.randperm(n) as little-endian int32: long ones pass many times through the generator's 624 words.
    [Theory]
    [InlineData(1, 0, "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119")]
    [InlineData(2, 5, "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8")]
    [InlineData(1000, 7, "9474a982d16edc13ae546cc97b13f0d313038c52166429a461526e7553fbef49")]
    [InlineData(60000, 42, "7f455bbc8e543f082c5e5787a6f39d0569027ff6766e60bb3417c9c7e5ac124f")]
    public void A_long_permutation_is_torch_randperm(int n, int seed, string sha256) =>
        Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<int>(Permutation.Random(n, seed)))));

    [Fact]
    public void Nothing_is_permuted_to_nothing() => Assert.Empty(Permutation.Random(0, seed: 1));

    // torch.manual_seed(seed); torch.empty(4).uniform_(-0.2, 0.3) of PyTorch 1.13.1, by bits.
    [Theory]
    [InlineData(0, new uint[] { 0x3D45222C, 0x3E3C8791, 0xBE1F7FE3, 0xBE09334D })]
    [InlineData(int.MaxValue, new uint[] { 0x3E1DC311, 0xBCBB6FC8, 0xBE16D193, 0x3DCC6F96 })]
    public void Uniform_floats_are_torch_uniform(int seed, uint[] expected)
    {
        var generator = new TorchGenerator(seed);
        Assert.Equal(expected, Enumerable.Range(0, 4).Select(_ => BitConverter.SingleToUInt32Bits(generator.NextUniform(-0.2f, 0.3f))));
    }
}
