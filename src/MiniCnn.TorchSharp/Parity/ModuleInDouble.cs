using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace MiniCnn.Interop;

/// <summary>One call of a module without children in a run of the network.</summary>
/// <param name="Name">Its name in the network: “features.0”.</param>
/// <param name="Module">The module.</param>
/// <param name="Parameters">Its own parameters by name.</param>
/// <param name="Buffers">Its own buffers before the run.</param>
/// <param name="X">Its input.</param>
/// <param name="Y">Its output.</param>
sealed record Call(
    string Name, nn.Module Module, IReadOnlyDictionary<string, Values> Parameters, IReadOnlyDictionary<string, Values> Buffers, Values X, Values Y)
{
    /// <summary>∂loss/∂x and ∂loss/∂y. Null without a backward pass.</summary>
    public (Values X, Values Y)? Gradient { get; set; }

    /// <summary>∂loss/∂parameter of the parameters that require a gradient.</summary>
    public Dictionary<string, Values> Gradients { get; } = [];

    /// <summary>Its own buffers after the run.</summary>
    public Dictionary<string, Values> After { get; } = [];

    public bool Trains => Module.training;

    /// <summary>Type of the module: “Conv2d”. For a <see cref="Formula"/>, the layer's name.</summary>
    public string Kind => Module is Formula ? Module.GetName()
        : Module.GetType().Name is var name && name.EndsWith(nameof(Pad2d), StringComparison.Ordinal) ? nameof(Pad2d)     // one type per padding mode
        : name;

    /// <summary>Whether it is a module type of TorchSharp, with readable settings.</summary>
    public bool IsTorchs => Module.GetType().Namespace == "TorchSharp.Modules";

    /// <summary>Returns the name and type: “'features.0', Conv2d”.</summary>
    public override string ToString() => $"'{Name}', {Kind}";
}

/// <summary>The record of a run of a network: calls in order, output, ∂loss/∂y, ∂loss/∂x, and the error if it failed.</summary>
sealed record ModuleRecord(IReadOnlyList<Call> Calls, Values? Y, Values? Dy, Values? Dx, string? Fault)
{
    /// <summary>All tensors of the record, in the same order for every run.</summary>
    public IEnumerable<Values> All => Calls
        .SelectMany(call => (Values?[])[call.X, call.Y, call.Gradient?.X, call.Gradient?.Y, .. call.Gradients.Values, .. call.After.Values])
        .Append(Y).Append(Dx).OfType<Values>();
}

/// <summary>
/// Makes a user's module compute in double on the CPU. It replaces the native handles of the module's tensors, and <see cref="Dispose"/> restores them.
/// The tensors and their gradients do not change, and an optimizer that holds the parameters keeps working. <c>module.to(float64)</c> would create new
/// parameters.
/// </summary>
sealed class ModuleInDouble : IDisposable
{
    readonly Module module;
    readonly List<(Tensor Live, Tensor Own, Values Start)> tensors = [];
    readonly List<Action> removers = [];
    readonly Tensor randomState = get_rng_state();
    readonly (string Name, nn.Module Module)[] leaves;

    // State of the current run.
    readonly List<(Call Call, Tensor X, Tensor Y)> calls = [];
    bool records;
    (string Name, Tensor X)? entered;
    Random? noise;
    double size;

    public ModuleInDouble(Module module)
    {
        this.module = module;
        leaves = module.children().Any()
            ? [.. module.named_modules().Where(m => !m.module.children().Any()).DistinctBy(m => m.module)]
            : [("", module)];
        foreach (Tensor tensor in module.parameters().Cast<Tensor>().Concat(module.buffers()))
        {
            ScalarType type = tensor.is_floating_point() ? ScalarType.Float64 : tensor.dtype;
            Tensor own = tensor.detach().to(type, CPU, copy: true).DetachFromDisposeScope();
            own.requires_grad = tensor.requires_grad;
            tensors.Add((tensor, own, Values.Of(own)));
            (Handle(tensor), Handle(own)) = (Handle(own), Handle(tensor));
        }
        foreach ((string name, nn.Module leaf) in leaves)
        {
            if (leaf is not Module hookable)
                continue;
            // Clones are recorded, because a network may free or overwrite its tensors.
            removers.Add(hookable.register_forward_pre_hook((_, x) =>
            {
                if (!records)
                    return x;
                entered = (name, x.clone());
                return entered.Value.X.clone();
            }).remove);
            removers.Add(hookable.register_forward_hook((_, _, y) =>
            {
                Tensor rounded = Moved(y);
                if (!records)
                    return rounded;
                Tensor x = entered!.Value.X;
                Dictionary<string, Values> parameters = Own(leaf.named_parameters(false).Select(p => (p.name, (Tensor)p.parameter)));
                Call call = new(name, leaf, parameters, Own(leaf.named_buffers(false)), Values.Of(x), Values.Of(rounded));
                calls.Add((call, x, rounded));
                entered = null;
                return rounded.clone();
            }).remove);
        }
    }

    /// <summary>Returns the modules without children that were not called in a run: “'fc2', Linear”.</summary>
    public IEnumerable<string> NotIn(ModuleRecord record) =>
        leaves.Where(leaf => record.Calls.All(call => call.Module != leaf.Module)).Select(leaf => $"'{leaf.Name}', {leaf.Module.GetType().Name}");

    /// <summary>Runs the network with its initial parameters and buffers.</summary>
    /// <param name="x">The batch.</param>
    /// <param name="backward">Whether to differentiate Σ dy·y too. dy is random, with the same seed in each run.</param>
    /// <param name="random">
    /// If given, multiplies every parameter, every input and every module's output by 1 ± share with a random sign, to simulate rounding.
    /// </param>
    /// <param name="share">The relative change.</param>
    public ModuleRecord Run(Values x, bool backward, Random? random = null, double share = 0)
    {
        (records, entered) = (true, null);
        calls.Clear();
        using DisposeScope scope = NewDisposeScope();
        Reset(random, share);
        Tensor batch = Moved(ToTensor(x)).requires_grad_(backward);
        ModuleRecord record = new([.. calls.Select(call => call.Call)], null, null, null, null);
        try
        {
            using IDisposable? grad = backward ? null : no_grad();
            Tensor y = TorchLibrary.WithoutCollections(() => module.call(batch.clone()));
            record = record with { Calls = [.. calls.Select(call => call.Call)], Y = Values.Of(y) };
            foreach ((Call call, _, _) in calls)
                foreach ((string name, Tensor buffer) in call.Module.named_buffers(false))
                    call.After[name] = Values.Of(buffer);
            if (!backward)
                return record;
            TorchGenerator generator = new(0);
            record = record with { Dy = record.Y.Map(_ => generator.NextUniform(-1, 1)) };
            return record with { Dx = Differentiate(y, ToTensor(record.Dy), batch) };
        }
        catch (Exception e) when (e is ExternalException or ArgumentException or InvalidOperationException or IndexOutOfRangeException)
        {
            string where = record.Y is not null ? "in its backward pass"
                : entered is { } at ? $"in '{at.Name}' on [{string.Join(", ", at.X.shape)}]"
                : calls.Count > 0 ? $"after '{calls[^1].Call.Name}'"
                : "before its first layer";
            return record with { Calls = [.. calls.Select(call => call.Call)], Dy = null, Fault = $"the module fails {where}: {FirstLine(e)}" };
        }
    }

    /// <summary>
    /// Restores the initial parameters and buffers. If random is given, multiplies them and, from then on, every module's output by 1 ± share with a random
    /// sign.
    /// </summary>
    public void Reset(Random? random = null, double share = 0)
    {
        (noise, size) = (random, share);
        Load([.. tensors.Select(tensor => tensor.Start)]);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        foreach ((Tensor live, _, _) in tensors.Where(tensor => noise is not null && tensor.Live.is_floating_point()))
            live.mul_(Factors(live));
        _ = manual_seed(0);                            // dropout: the same mask in each run
    }

    /// <summary>Returns copies of the current parameters and buffers.</summary>
    public Values[] Save() => [.. tensors.Select(tensor => Values.Of(tensor.Live))];

    public void Load(Values[] saved)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        foreach ((Tensor live, Values values) in tensors.Zip(saved, (tensor, values) => (tensor.Live, values)))
            live.copy_(ToTensor(values));
    }

    /// <summary>Runs a training step of the module from its current parameters, with noise if random is given. Records no calls.</summary>
    /// <exception cref="ArgumentException">The module, the loss or the optimizer throws.</exception>
    public (Values Y, double Loss) Step(
        Values x, Func<Tensor, Tensor> loss, optim.Optimizer optimizer, Action afterBackward, Random? random, double share)
    {
        (records, noise, size) = (false, random, share);
        using DisposeScope scope = NewDisposeScope();
        try
        {
            return TorchLibrary.WithoutCollections(() =>
            {
                optimizer.zero_grad();
                Tensor y = module.call(Moved(ToTensor(x))), value = loss(y);
                value.backward();
                afterBackward();
                optimizer.step();
                return (Values.Of(y), Values.Of(value).Numbers[0]);
            });
        }
        catch (ExternalException e)
        {
            bool isType = e.Message.Contains("dtype", StringComparison.Ordinal);
            string wayOut = isType ? "; they run in float64, so convert the targets of the loss to y's type, .to(y.dtype)" : "";
            throw new ArgumentException($"the module, its loss or its optimizer fails: {FirstLine(e)}{wayOut}", nameof(loss), e);
        }
    }

    Values Differentiate(Tensor y, Tensor dy, Tensor batch)
    {
        (Call Call, string Name, Tensor Tensor)[] parameters =
        [
            .. from call in calls.Select(call => call.Call).DistinctBy(call => call.Module)
               from p in call.Module.named_parameters(false)
               where p.parameter.requires_grad
               select (call, p.name, (Tensor)p.parameter),
        ];
        Tensor[] wanted = [.. calls.SelectMany(call => (Tensor[])[call.X, call.Y]).Where(tensor => tensor.requires_grad)];
        foreach (Tensor tensor in wanted)
            tensor.retain_grad();
        foreach ((_, _, Tensor parameter) in parameters)
        {
            using Tensor? before = parameter.grad;
            _ = before?.zero_();
        }
        if (y.requires_grad)
            (y * dy).sum().backward();                   // not autograd.grad: there, an error of the network ends the process
        foreach ((Call call, Tensor input, Tensor result) in calls)
            call.Gradient = (GradientOf(input), GradientOf(result));
        foreach ((Call call, string name, Tensor parameter) in parameters)
            foreach ((Call other, _, _) in calls.Where(other => other.Call.Module == call.Module))
                other.Gradients[name] = GradientOf(parameter);
        return GradientOf(batch);
    }

    /// <summary>Returns ∂loss/∂tensor after a backward pass, zeros if no gradient arrived.</summary>
    public static Values GradientOf(Tensor tensor)
    {
        using Tensor? gradient = tensor.grad;
        return gradient is null ? new(new double[tensor.numel()], tensor.shape) : Values.Of(gradient);
    }

    static string FirstLine(Exception e) => e.Message.Split('\n')[0].TrimEnd();

    public void Dispose()
    {
        foreach (Action remove in removers)
            remove();
        foreach ((Tensor live, Tensor own, _) in tensors)
        {
            (Handle(live), Handle(own)) = (Handle(own), Handle(live));
            own.Dispose();
        }
        set_rng_state(randomState);
        randomState.Dispose();
    }

    Dictionary<string, Values> Own(IEnumerable<(string Name, Tensor Tensor)> own) =>
        own.ToDictionary(t => t.Name, t => tensors.Find(known => ReferenceEquals(known.Live, t.Tensor)).Start ?? Values.Of(t.Tensor));

    Tensor Moved(Tensor tensor) => noise is null ? tensor : tensor * Factors(tensor);

    /// <summary>Returns a tensor of random factors 1 + size and 1 − size.</summary>
    Tensor Factors(Tensor like)
    {
        byte[] random = new byte[like.numel()];
        noise!.NextBytes(random);
        return tensor(Array.ConvertAll(random, number => 1 + (number % 2 * 2 - 1) * size), like.shape, ScalarType.Float64);
    }

    public static Tensor ToTensor(Values values) => tensor(values.Numbers, values.Shape, ScalarType.Float64);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "handle")]
    static extern ref IntPtr Handle(Tensor tensor);
}
