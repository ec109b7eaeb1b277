using TorchSharp;
using static TorchSharp.torch;

namespace MiniCnn.Interop;

/// <summary>A model as a TorchSharp module, to train or run it there, and its weights back.</summary>
/// <remarks>
/// The module has the model's layers under PyTorch's names (“0.weight”, “3.body.1.running_mean”): <c>module.state_dict()</c> holds what
/// <see cref="Weights.Save"/> writes. This library brings no native ones: reference TorchSharp-cpu or TorchSharp-cuda beside it.
/// </remarks>
public static class TorchSharpBridge
{
    /// <summary>
    /// The same layers, weights and buffers as a module: float32, on the CPU, in training mode as every new module, but for layers with
    /// <see cref="Layer.HoldInEvaluation"/>, whose modules are in evaluation mode: <c>.train()</c> on the whole module would end that. <c>.cuda()</c>,
    /// <c>.train()</c>, <c>.eval()</c> and <c>.to(…)</c> work. It shares nothing with the model.
    /// </summary>
    /// <param name="model">A model, or a layer of one: the names then begin at that layer.</param>
    /// <returns>The module; a parameter that is not <see cref="Parameter.Trainable"/> does not require a gradient. Dropout draws masks of its own.</returns>
    /// <exception cref="InvalidOperationException">A <see cref="CustomLayer"/> is among the layers.</exception>
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
    /// Takes over a module's weights and buffers by their names: those of <see cref="ToTorchSharp"/>'s module, or of any other whose state_dict has
    /// the same names and shapes. Nothing changes unless it holds all of them, and no others.
    /// </summary>
    /// <param name="model">A model, or a layer of one: the names then begin at that layer. Which parameters are Trainable stays as it is.</param>
    /// <param name="module">On any device; numbers of other types are rounded to float.</param>
    /// <exception cref="ArgumentException">The module has other tensors than the model.</exception>
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
            $"{model.Description}: {fault}; give it a module of the same layers, as ToTorchSharp makes it"), nameof(module));
    }

    static Tensor TensorOf(SafeTensors.Entry entry) => entry.Type == "I64"
        ? tensor(entry.As<long>().ToArray(), [.. entry.Shape]) : tensor(entry.As<float>().ToArray(), [.. entry.Shape]);

    static SafeTensors.Entry EntryOf(Tensor tensor, string type) => type == "I64"
        ? SafeTensors.Entry.From<long>(Numbers<long>(tensor, ScalarType.Int64), tensor.shape)
        : SafeTensors.Entry.From<float>(Numbers<float>(tensor, ScalarType.Float32), tensor.shape);

    static T[] Numbers<T>(Tensor tensor, ScalarType type) where T : unmanaged => tensor.detach().to(type, CPU).contiguous().data<T>().ToArray();

    /// <summary>A name as the module has it: without the place where the model stands in a larger one.</summary>
    static string NameIn(Layer model, string name) => model.Place is "" ? name : name[(model.Place.Length + 1)..];
}
