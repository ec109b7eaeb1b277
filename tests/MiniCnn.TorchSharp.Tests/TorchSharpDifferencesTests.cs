using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MiniCnn.Tests;

/// <summary>Where TorchSharp 0.107 is wrong, or differs from PyTorch: what it does is asserted, so that a repaired version is noticed. README lists them.</summary>
public sealed class TorchSharpDifferencesTests
{
    [Fact]
    public void ConvTranspose2d_takes_the_first_number_of_an_output_padding_for_both()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = ones(1, 1, 3, 3), y = nn.ConvTranspose2d(1, 1, (2, 2), (2, 2), output_padding: (1, 0)).call(x);
        Assert.Equal([1, 1, 7, 7], y.shape);                        // PyTorch: 7×6, as the function gives
        Assert.Equal([1, 1, 7, 6], F.conv_transpose2d(x, ones(1, 1, 2, 2), null, [2, 2], [0, 0], [1, 0]).shape);
    }

    [Fact]
    public void Same_padding_with_another_mode_than_zeros_swaps_height_and_width()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = ones(1, 1, 7, 9);
        Tensor zeros = nn.Conv2d(1, 1, (3, 5), TorchSharp.Padding.Same).call(x);
        Tensor reflect = nn.Conv2d(1, 1, (3, 5), TorchSharp.Padding.Same, padding_mode: PaddingModes.Reflect).call(x);
        Assert.Equal([1, 1, 7, 9], zeros.shape);
        Assert.Equal([1, 1, 9, 7], reflect.shape);                  // PyTorch: 7×9
    }

    [Fact]
    public void Xavier_normal_draws_uniform_numbers()
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(5);
        Tensor normal = nn.init.xavier_normal_(empty(7, 5));
        manual_seed(5);
        Tensor uniform = nn.init.xavier_uniform_(empty(7, 5));
        Assert.Equal(uniform.data<float>().ToArray(), normal.data<float>().ToArray());
    }

    [Fact]
    public void GroupNorm_refuses_features_without_an_image()
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => nn.GroupNorm(2, 6).call(ones(3, 6)));
        Assert.Equal([3, 6], F.group_norm(ones(3, 6), 2).shape);    // the function takes them, as PyTorch's module does
    }

    [Fact]
    public void GroupNorm_begins_with_weights_that_nobody_set()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor rubbish = full(4, 7, dtype: float32);                // what the next four numbers may find in their memory
        rubbish.Dispose();
        Assert.NotEqual([1, 1, 1, 1], nn.GroupNorm(2, 4).weight!.data<float>().ToArray());
    }

    [Fact]
    public void MNIST_is_divided_by_256()
    {
        using DisposeScope scope = NewDisposeScope();
        DirectoryInfo root = Directory.CreateTempSubdirectory("minicnn-");
        string folder = Directory.CreateDirectory(Path.Combine(root.FullName, "mnist", "test_data")).FullName;
        byte[] white = [.. Enumerable.Repeat((byte)255, 28 * 28)];
        File.WriteAllBytes(Path.Combine(folder, "t10k-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28, .. white]);
        File.WriteAllBytes(Path.Combine(folder, "t10k-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 1, 7]);
        using (torch.utils.data.Dataset images = torchvision.datasets.MNIST(root.FullName, train: false))
            Assert.Equal(255 / 256f, images.GetTensor(0)["data"].max().item<float>());      // PyTorch: 1
        root.Delete(recursive: true);
    }

    [Fact]
    public void AdamW_has_no_weight_decay_unless_it_is_asked_for()
    {
        using DisposeScope scope = NewDisposeScope();
        TorchSharp.Modules.Parameter p = new(ones(1));
        p.grad = zeros(1);
        optim.AdamW([p]).step();
        Assert.Equal(1, p.item<float>());                           // PyTorch: 0.01, so 1 − 1e-5
    }
}
