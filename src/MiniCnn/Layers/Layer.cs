using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Numerics.Tensors;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// One step of a network: a formula from x to y, and its gradient. Write your own by deriving from <see cref="CustomLayer"/>.
/// </summary>
/// <remarks>
/// A call in training, or a differentiable one, keeps what a backward pass needs; any Forward discards what an earlier one kept. Tensors that
/// come out belong to the caller. One layer runs one call at a time; it stands in one place of one model only.
/// </remarks>
public abstract class Layer
{
    static readonly Lock drawing = new();

    // Only CustomLayer opens this to other assemblies: lanes are this one's own.
    private protected Layer() => (Session, Model) = (new(this), this);

    /// <summary>What the layer learns, in PyTorch's order; empty for most.</summary>
    public virtual IReadOnlyList<Parameter> Parameters => [];

    /// <summary>The shape of one output image for the shape of one input image.</summary>
    /// <exception cref="ArgumentException">The layer cannot take such images.</exception>
    public abstract ImageShape OutputShape(ImageShape input);

    /// <summary>
    /// How the convolutions of this layer, and of all layers in it, are computed when it is called; a layer in a model follows the model. Not saved with it.
    /// </summary>
    public ConvolutionAlgorithm ConvolutionAlgorithm { get; set; }

    /// <summary>
    /// Whether the layer, and every layer in it, computes in training what it computes in evaluation, as after PyTorch's <c>layer.eval()</c>: a batch
    /// norm uses its running statistics and does not change them, and a dropout is the identity. <see cref="Backward"/> then gives the gradient of that.
    /// Setting it on a layer made of layers sets it on each of them; reading it there tells whether all of them are held.
    /// </summary>
    /// <remarks>It does not change which parameters are <see cref="Parameter.Trainable"/>; <see cref="Freeze"/> sets both. It is not saved with the model.</remarks>
    public virtual bool HoldInEvaluation { get; set; }

    /// <summary>
    /// Freezes the layer and every layer in it, as a backbone is frozen for fine-tuning: no parameter is <see cref="Parameter.Trainable"/>, and the
    /// layers are held in evaluation. So batch norms keep the statistics with which the weights were learnt.
    /// </summary>
    /// <param name="holdInEvaluation">
    /// The new <see cref="HoldInEvaluation"/>. If false, only the parameters are frozen, as by PyTorch's <c>requires_grad_(False)</c>: batch norms use the
    /// statistics of the batch, and their running ones move.
    /// </param>
    public void Freeze(bool holdInEvaluation = true) => SetFrozen(true, holdInEvaluation);

    /// <summary>Undoes <see cref="Freeze"/>: every parameter is <see cref="Parameter.Trainable"/>, and no layer is held in evaluation.</summary>
    public void Unfreeze() => SetFrozen(false, false);

    /// <summary>y = f(x).</summary>
    /// <param name="x">A batch, [N, C, H, W] or [N, features]; N = 0 is allowed.</param>
    /// <param name="training">
    /// Whether layers such as dropout and batch norm compute what they compute in training, unless <see cref="HoldInEvaluation"/>. A backward pass may follow.
    /// </param>
    /// <param name="destination">If given, y is written there; dense, of y's shape. Once warm, built-in layers then allocate nothing.</param>
    /// <param name="differentiable">
    /// Whether a backward pass may follow in evaluation too; in training one always may. Its gradient is that of the function in use: running
    /// statistics are constants in it, and do not change.
    /// </param>
    /// <returns>[N, C, H, W], or [N, features] after a Flatten or Linear: the destination, or a new tensor.</returns>
    /// <exception cref="ArgumentException">A tensor of another rank, or images that the layer cannot take.</exception>
    /// <exception cref="InvalidOperationException">The layer is running on another thread.</exception>
    public Tensor<float> Forward(Tensor<float> x, bool training = false, Tensor<float>? destination = null, bool differentiable = false) =>
        Session.Forward(x, training, destination, differentiable);

    /// <summary>
    /// Adds ∂loss/∂parameter to every trainable parameter's gradient, for the batch of the last Forward. Frozen layers before the first one that learns
    /// cost nothing.
    /// </summary>
    /// <param name="dy">∂loss/∂y, of y's shape.</param>
    /// <exception cref="ArgumentException">dy has another shape than y.</exception>
    /// <exception cref="InvalidOperationException">That Forward was neither training nor differentiable, or its backward pass has been done.</exception>
    public void Backward(Tensor<float> dy) => Session.Backward(dy, wantsInput: false, null);

    /// <summary>As <see cref="Backward(Tensor{float})"/>, and returns ∂loss/∂x, of x's shape.</summary>
    /// <param name="dy">∂loss/∂y, of y's shape.</param>
    /// <param name="destination">If given, ∂loss/∂x is written there; dense, of x's shape.</param>
    /// <exception cref="ArgumentException">dy has another shape than y.</exception>
    /// <exception cref="InvalidOperationException">That Forward was neither training nor differentiable, or its backward pass has been done.</exception>
    public Tensor<float> BackwardToInput(Tensor<float> dy, Tensor<float>? destination = null) =>
        Session.Backward(dy, wantsInput: true, destination)!;

    /// <summary>
    /// Draws all weights anew, as torch.manual_seed(seed) and building the same layers in the same order would: equal to the bit.
    /// The seed also determines the dropout masks. A <see cref="CustomLayer"/>'s parameters stay as its author filled them.
    /// </summary>
    /// <remarks>
    /// A model that was never initialised begins as Initialize(0) of the whole model would leave it. Its weights are drawn when they are first read or run; they
    /// are drawn again when its layers are put into another model or one is replaced, unless they were trained, loaded or changed by then: such weights stay. A
    /// layer that <see cref="Sequential.Replace"/> puts into an initialised model gets the weights that the same seed would have given it there.
    /// </remarks>
    public void Initialize(int seed)
    {
        Initialize(new TorchGenerator(seed));
        Session.Resume(seed, step: 0);
    }

    /// <summary>
    /// A table to print: each layer's output shape, its number of parameters, and its multiply-adds for one image (those of convolutions and
    /// linear layers, forward); below it the totals, and the memory of all outputs of one image.
    /// </summary>
    /// <exception cref="ArgumentException">A layer cannot take such images; the message names it.</exception>
    public string Summary(ImageShape input) => ModelSummary.Of(this, input);

    /// <summary>The layer as its constructor would be written, “Conv2d(1→8, 5×5, padding 2)”.</summary>
    public override string ToString() => GetType().Name;

    /// <summary>What calls from outside have in common.</summary>
    internal LayerSession Session { get; }

    /// <summary>Where the layer stands in its model: “3”, in a model inside a model “3.1”; empty on its own.</summary>
    internal string Place { get; private set; } = "";

    /// <summary>The outermost layer around it; itself on its own.</summary>
    internal Layer Model { get; private set; }

    /// <summary>“layer 3, ReLU()” for messages.</summary>
    internal string Description => Place is "" ? ToString() : $"layer {Place}, {this}";

    /// <summary>Whether the gradient check can run it in double.</summary>
    internal virtual bool RunsInDouble => true;

    /// <summary>What its constructor takes, but for layers, as a model's file tells it and <see cref="Architecture"/> reads it; null if only code can make it.</summary>
    internal virtual IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [];

    /// <summary>What a file of weights holds of the layer, under PyTorch's names: its parameters, and what else it has to remember.</summary>
    internal virtual IEnumerable<StoredTensor> Stored => Parameters.Select(StoredTensor.Of).Concat(Buffers);

    /// <summary>What a file of weights holds besides parameters; a training pass may change it.</summary>
    internal virtual IEnumerable<StoredTensor> Buffers => [];

    /// <summary>A name as a model's file has it, “0.weight”.</summary>
    internal string NameOf(string name) => Place is "" ? name : $"{Place}.{name}";

    /// <summary>Products that one image's forward pass adds up, those of elementwise layers not counted.</summary>
    internal virtual long MultiplyAdds(ImageShape input) => 0;

    /// <summary>Draws the parameters' first values, as PyTorch's constructor does.</summary>
    internal virtual void Initialize(TorchGenerator generator)
    {
        foreach (Parameter parameter in Parameters)
            parameter.Draw(generator);
    }

    /// <summary>Draws the first values that nobody has given to this model: those that <see cref="Initialize(int)"/> with its seed would draw.</summary>
    internal void DrawFirstValues()
    {
        lock (drawing)                                       // predictors on several threads may want them at once
        {
            TorchGenerator generator = new(Session.Seed);
            foreach (Parameter parameter in Parameters)
                parameter.DrawIfOpen(generator);
        }
    }

    /// <summary>Puts the layer at a place of a model.</summary>
    internal virtual void PutAt(string place, Layer model)
    {
        (Place, Model) = (place, model);
        foreach (Parameter parameter in Parameters)
            parameter.LookAgain();
    }

    /// <summary>Zeros that Forward would like to find around x.</summary>
    internal virtual Padding InputMargin(ImageShape input) => default;

    /// <summary>Zeros that Backward would like to find around dy.</summary>
    internal virtual Padding GradientMargin(ImageShape input) => default;

    /// <summary>y = f(x), every image; y overwritten.</summary>
    internal abstract void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>dx = dy · ∂y/∂x, overwritten, if dx is wanted; parameters' gradients are added to. x, y and context are the forward pass's.</summary>
    internal abstract void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
        where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>Whether the layer computes in this pass what it computes in training. Its backward pass reads the answer in context.Trained.</summary>
    private protected bool Trains<T>(LayerContext<T> context) where T : unmanaged => context.Trained = context.Training && !HoldInEvaluation;

    /// <summary>Throws, naming the layer.</summary>
    [DoesNotReturn]
    internal void Refuse(string why) => throw new ArgumentException($"{Description}: {why}");

    void SetFrozen(bool frozen, bool hold)
    {
        foreach (Parameter parameter in Parameters)
            parameter.Trainable = !frozen;
        HoldInEvaluation = hold;
    }

    /// <summary>What comes out, in a number of channels, when a window slides over an image; throws, naming the layer, where it does not fit.</summary>
    private protected ImageShape Slide(Window2d window, ImageShape input, int channels)
    {
        if (input.IsFlat)
            Refuse($"takes images, not {input}");
        try
        {
            (int height, int width) = window.OutputSize(input.Height, input.Width);
            if ((long)channels * height * width > Array.MaxLength)
                throw new ArgumentException($"an output of {channels}×{height}×{width} has more numbers than an array holds");
            return new(channels, height, width);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"{Description}: {e.Message}", e);
        }
    }
}
