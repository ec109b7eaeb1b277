using TorchSharp;
using static TorchSharp.torch;

namespace MiniCnn.Interop;

/// <summary>Converts a model to a TorchSharp module, to train or run it there, and copies the weights back.</summary>
/// <remarks>
/// The module has PyTorch's names (“0.weight”, “3.body.1.running_mean”): <c>module.state_dict()</c> has the names and shapes that
/// <see cref="Weights.Save"/> writes. This package contains no native libraries: also reference TorchSharp-cpu or TorchSharp-cuda.
/// </remarks>
public static class TorchSharpBridge
{
    /// <summary>
    /// Creates a TorchSharp module with the same layers and copies of the weights and buffers, float32 on the CPU. The module is in training mode, as every
    /// new module. Layers with <see cref="Layer.HoldInEvaluation"/> are in evaluation mode; <c>.train()</c> on the whole module would set them to training
    /// mode. <c>.cuda()</c>, <c>.train()</c>, <c>.eval()</c> and <c>.to(…)</c> work.
    /// </summary>
    /// <param name="model">A model, or a layer inside a model. Names are relative to this layer.</param>
    /// <returns>
    /// The module. A parameter that is not <see cref="Parameter.Trainable"/> does not require a gradient. Dropout uses TorchSharp's random masks.
    /// </returns>
    /// <exception cref="InvalidOperationException">The model contains a <see cref="CustomLayer"/>.</exception>
    public static nn.Module<Tensor, Tensor> ToTorchSharp(this Layer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        TorchLibrary.Load();
        using DisposeScope scope = NewDisposeScope();
        nn.Module<Tensor, Tensor> module = TorchModules.Of(model);
        Dictionary<string, Tensor> state = module.state_dict();
        using (no_grad())
        {
            foreach (StoredTensor stored in model.Stored)
                state[NameIn(model, stored.Name)].copy_(TensorOf(stored.Save()));
        }
        foreach (Parameter p in model.Parameters)
            state[NameIn(model, p.Name)].requires_grad = p.Trainable;
        return module;
    }

    /// <summary>
    /// Copies a module's weights and buffers into the model by name. The module can be any module with the same names and shapes in its state_dict. If
    /// a name or shape differs, nothing is copied.
    /// </summary>
    /// <param name="model">A model, or a layer inside a model. Names are relative to this layer. Trainable does not change.</param>
    /// <param name="module">A module on any device. Floating-point numbers of other types are rounded to float.</param>
    /// <exception cref="ArgumentException">A tensor is missing, has a different shape, or does not exist in the model.</exception>
    public static void CopyFrom(this Layer model, nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(module);
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> state = module.state_dict();
        List<(StoredTensor Stored, SafeTensors.Entry Entry)> copies = [];
        foreach (StoredTensor stored in model.Stored)
        {
            (string name, string type, string shape) = (NameIn(model, stored.Name), stored.Form[..3], stored.Form[4..]);
            if (!state.Remove(name, out Tensor? tensor))
                throw Fault($"the module has no '{name}', which is {shape} in the model");
            if ($"[{string.Join(", ", tensor.shape)}]" is var theirs && theirs != shape)
                throw Fault($"'{name}' is {theirs} in the module but {shape} in the model");
            copies.Add((stored, EntryOf(tensor, type)));
        }
        if (state.Keys.Order(StringComparer.Ordinal).FirstOrDefault() is { } surplus)
            throw Fault($"the module has '{surplus}', which the model does not have");
        foreach ((StoredTensor stored, SafeTensors.Entry entry) in copies)
            stored.Load(entry);

        ArgumentException Fault(string fault) => new(SafeTensors.OneLine(
            $"{model.Description}: {fault}; pass a module with the same layers, such as that of ToTorchSharp"), nameof(module));
    }

    static Tensor TensorOf(SafeTensors.Entry entry) => entry.Type == "I64"
        ? tensor(entry.As<long>().ToArray(), [.. entry.Shape]) : tensor(entry.As<float>().ToArray(), [.. entry.Shape]);

    static SafeTensors.Entry EntryOf(Tensor tensor, string type) => type == "I64"
        ? SafeTensors.Entry.From<long>(Numbers<long>(tensor, ScalarType.Int64), tensor.shape)
        : SafeTensors.Entry.From<float>(Numbers<float>(tensor, ScalarType.Float32), tensor.shape);

    static T[] Numbers<T>(Tensor tensor, ScalarType type) where T : unmanaged => tensor.detach().to(type, CPU).contiguous().data<T>().ToArray();

    /// <summary>Returns a name relative to the model, as in the module's state_dict.</summary>
    static string NameIn(Layer model, string name) => model.Place is "" ? name : name[(model.Place.Length + 1)..];
}
