using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MiniCnn.Interop;

/// <summary>Modules that take the same input and a function that joins their outputs, for Residual and Concat.</summary>
sealed class Branches : nn.Module<Tensor, Tensor>
{
    readonly nn.Module<Tensor, Tensor>[] branches;
    readonly Func<Tensor, Tensor[], Tensor> join;

    /// <param name="name">Name of the module.</param>
    /// <param name="branches">The modules and their names in state_dict.</param>
    /// <param name="join">Computes y from x and the outputs of the branches.</param>
    public Branches(string name, (string Name, nn.Module<Tensor, Tensor> Module)[] branches, Func<Tensor, Tensor[], Tensor> join) : base(name)
    {
        (this.branches, this.join) = ([.. branches.Select(branch => branch.Module)], join);
        foreach ((string branch, nn.Module<Tensor, Tensor> module) in branches)
            register_module(branch, module);
    }

    public override Tensor forward(Tensor input)
    {
        Tensor[] outputs = [.. branches.Select(branch => branch.call(input))];
        Tensor y = join(input, outputs);
        foreach (Tensor output in outputs)
            output.Dispose();
        return y;
    }
}

/// <summary>A layer without an equivalent TorchSharp module: its parameters, if any, and its formula.</summary>
sealed class Formula : nn.Module<Tensor, Tensor>
{
    readonly Func<Tensor, Tensor?, Tensor?, Tensor> formula;

    public Formula(Layer layer, Func<Tensor, Tensor?, Tensor?, Tensor> formula) : base(layer.GetType().Name)
    {
        this.formula = formula;
        foreach (Parameter p in layer.Parameters)
            register_parameter(p.ShortName, (TorchParameter)new TorchParameter(empty([.. p.Value.Lengths])).DetachFromDisposeScope());
    }

    public Formula(string name, Func<Tensor, Tensor> formula) : base(name) => this.formula = (x, _, _) => formula(x);

    public override Tensor forward(Tensor input) => formula(input, get_parameter("weight"), get_parameter("bias"));
}
