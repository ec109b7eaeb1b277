using System.Numerics.Tensors;
using MiniCnn.Imaging;

namespace MiniCnn.Examples.Mnist;

/// <summary>The kernels of the first layer, before and after training. Create it before training.</summary>
sealed class FirstLayer(Sequential model)
{
    readonly Tensor<float> initial = Copy(((Conv2d)model.Layers[0]).Weight.Value);       // [8, 1, 5, 5]

    Tensor<float> Kernels => ((Conv2d)model.Layers[0]).Weight.Value;

    /// <summary>Draws the kernels before and after training.</summary>
    public void Save(string path) => KernelSheet.Draw(initial, Kernels).Save(path);

    /// <summary>Describes how far training moved the kernels, and the accuracy of the trained network with its initial kernels put back.</summary>
    public string Describe(LabeledImages test)
    {
        Tensor<float> learned = Copy(Kernels);
        float moved = Tensor.Norm<float>(learned - initial) / Tensor.Norm<float>(initial);
        initial.CopyTo(Kernels);
        double accuracy = Evaluation.Of(model, test).Accuracy;
        learned.CopyTo(Kernels);
        return $"first-layer kernels: moved by {moved:P0} of their initial length; with the initial ones put back the test accuracy is {accuracy:P2}";
    }

    static Tensor<float> Copy(Tensor<float> tensor) => Tensor.Create([.. tensor], tensor.Lengths);
}
