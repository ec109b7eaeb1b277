using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Numerics.Tensors;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// Base class of all layers: a function y = f(x) and its gradient. Derive your own layers from <see cref="CustomLayer"/>.
/// </summary>
/// <remarks>
/// A Forward with training or differentiable set keeps the values that the backward pass needs. Each Forward discards the values of the previous one.
/// Returned tensors belong to the caller. A layer runs one call at a time. A layer can be used only once, in one model.
/// </remarks>
public abstract class Layer
{
    static readonly Lock drawing = new();

    // Other assemblies derive from CustomLayer: lane tensors are internal to this assembly.
    private protected Layer() => (Session, Model) = (new(this), this);

    /// <summary>The learnable parameters of the layer and of all layers in it, in PyTorch's order. Empty if there are none.</summary>
    public virtual IReadOnlyList<Parameter> Parameters => [];

    /// <summary>Computes the shape of one output image.</summary>
    /// <param name="input">Shape of one input image.</param>
    /// <exception cref="ArgumentException">The layer does not support this input shape.</exception>
    public abstract ImageShape OutputShape(ImageShape input);

    /// <summary>
    /// Algorithm for the convolutions of this layer and of all layers in it. Layers in a model use the setting of the model. It is not saved with the model.
    /// </summary>
    public ConvolutionAlgorithm ConvolutionAlgorithm { get; set; }

    /// <summary>
    /// Whether the layer, and every layer in it, stays in evaluation mode during training, as after PyTorch's <c>layer.eval()</c>: a batch norm uses its
    /// running statistics and does not change them, and a dropout is the identity. <see cref="Backward"/> computes the gradient of this function. The
    /// default is false.
    /// </summary>
    /// <remarks>
    /// Setting it on a <see cref="Container"/> sets it on all layers in it; the getter returns whether it is set on all of them. It does not change
    /// <see cref="Parameter.Trainable"/>; <see cref="Freeze"/> sets both. It is not saved with the model.
    /// </remarks>
    public virtual bool HoldInEvaluation { get; set; }

    /// <summary>
    /// Freezes the layer and every layer in it, for example a backbone for fine-tuning. It sets <see cref="Parameter.Trainable"/> of all parameters to false
    /// and, by default, keeps the layers in evaluation mode. Batch norms then keep the running statistics with which the weights were trained.
    /// </summary>
    /// <param name="holdInEvaluation">
    /// New value of <see cref="HoldInEvaluation"/>. If false, only the parameters are frozen, as with PyTorch's <c>requires_grad_(False)</c>: batch norms use
    /// the statistics of the batch and update their running statistics.
    /// </param>
    public void Freeze(bool holdInEvaluation = true) => SetFrozen(true, holdInEvaluation);

    /// <summary>
    /// Unfreezes the layer and every layer in it: sets <see cref="Parameter.Trainable"/> of all parameters to true and <see cref="HoldInEvaluation"/> to false.
    /// </summary>
    public void Unfreeze() => SetFrozen(false, false);

    /// <summary>Computes y = f(x) for a batch.</summary>
    /// <param name="x">A batch, [N, C, H, W] or [N, features]. N = 0 is allowed.</param>
    /// <param name="training">
    /// Whether dropout, batch norm and custom layers run in training mode, except where <see cref="HoldInEvaluation"/> is set. A backward pass can follow.
    /// </param>
    /// <param name="destination">
    /// Dense tensor with the shape of y that receives y. If it is null, a new tensor is allocated. With a destination, repeated calls with the same shapes
    /// allocate no memory in built-in layers.
    /// </param>
    /// <param name="differentiable">
    /// Whether a backward pass can follow in evaluation mode; in training mode it always can. Its gradient is that of the evaluation function: running
    /// statistics are constants and do not change.
    /// </param>
    /// <returns>y, [N, C, H, W], or [N, features] after a Flatten or Linear: the destination or a new tensor.</returns>
    /// <exception cref="ArgumentException">x has a wrong rank, the layer does not support its shape, or the destination has a wrong shape.</exception>
    /// <exception cref="InvalidOperationException">The layer is running on another thread.</exception>
    public Tensor<float> Forward(Tensor<float> x, bool training = false, Tensor<float>? destination = null, bool differentiable = false) =>
        Session.Forward(x, training, destination, differentiable);

    /// <summary>
    /// Adds ∂loss/∂parameter to the gradient of every trainable parameter, for the batch of the last Forward. In a <see cref="Sequential"/>, it skips the
    /// layers before the first trainable one.
    /// </summary>
    /// <param name="dy">∂loss/∂y, with the shape of y.</param>
    /// <exception cref="ArgumentException">The shape of dy differs from that of y.</exception>
    /// <exception cref="InvalidOperationException">
    /// There was no Forward, the last one was neither training nor differentiable, its backward pass has already run, or the layer is running on another
    /// thread.
    /// </exception>
    public void Backward(Tensor<float> dy) => Session.Backward(dy, wantsInput: false, null);

    /// <summary>Does the same as <see cref="Backward(Tensor{float})"/> and also computes ∂loss/∂x.</summary>
    /// <param name="dy">∂loss/∂y, with the shape of y.</param>
    /// <param name="destination">Dense tensor with the shape of x that receives ∂loss/∂x. If it is null, a new tensor is allocated.</param>
    /// <returns>∂loss/∂x, with the shape of x: the destination or a new tensor.</returns>
    /// <exception cref="ArgumentException">The shape of dy differs from that of y, or the destination has a wrong shape.</exception>
    /// <exception cref="InvalidOperationException">
    /// There was no Forward, the last one was neither training nor differentiable, its backward pass has already run, or the layer is running on another
    /// thread.
    /// </exception>
    public Tensor<float> BackwardToInput(Tensor<float> dy, Tensor<float>? destination = null) =>
        Session.Backward(dy, wantsInput: true, destination)!;

    /// <summary>
    /// Initializes all weights, biases and running statistics. The values are bit-identical to those of PyTorch after torch.manual_seed(seed), if the same
    /// layers are created in the same order. The seed also determines the dropout masks. The parameters of a <see cref="CustomLayer"/> do not change.
    /// </summary>
    /// <param name="seed">Seed of the random numbers.</param>
    /// <remarks>
    /// A model that was never initialized has the weights of Initialize(0) on the whole model. They are drawn at their first use. They are drawn again
    /// when the layer is put into another model or a layer of the model is replaced; weights that were trained, loaded or changed before that are kept.
    /// A layer that <see cref="Sequential.Replace"/> puts into an initialized model gets the weights that Initialize with the same seed gives it there.
    /// </remarks>
    public void Initialize(int seed)
    {
        Initialize(new TorchGenerator(seed));
        Session.Resume(seed, step: 0);
    }

    /// <summary>
    /// Returns a text table with the output shape, the number of parameters and the multiply-adds of each layer for one image, followed by the totals and
    /// the memory of all layer outputs for one image. Only the forward pass of convolutions and linear layers counts as multiply-adds.
    /// </summary>
    /// <param name="input">Shape of one input image.</param>
    /// <exception cref="ArgumentException">A layer does not support its input shape. The message names the layer.</exception>
    public string Summary(ImageShape input) => ModelSummary.Of(this, input);

    /// <summary>Returns the type of the layer and its settings, such as “Conv2d(1→8, 5×5, padding 2)”.</summary>
    public override string ToString() => GetType().Name;

    /// <summary>Runs the public calls of this layer.</summary>
    internal LayerSession Session { get; }

    /// <summary>Position of the layer in its model: “3”, or “3.1” in a nested container. Empty for the outermost layer.</summary>
    internal string Place { get; private set; } = "";

    /// <summary>The outermost layer that contains this one; this layer if there is none.</summary>
    internal Layer Model { get; private set; }

    /// <summary>“layer 3, ReLU”, for messages.</summary>
    internal string Description => Place is "" ? ToString() : $"layer {Place}, {this}";

    /// <summary>Whether the gradient check can run it in double.</summary>
    internal virtual bool RunsInDouble => true;

    /// <summary>
    /// The constructor arguments, except layers, as <see cref="Architecture"/> writes and reads them in a model file; null if a file cannot describe the layer.
    /// </summary>
    internal virtual IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [];

    /// <summary>The tensors of the layer in a weights file, under PyTorch's names: parameters and buffers.</summary>
    internal virtual IEnumerable<StoredTensor> Stored => Parameters.Select(StoredTensor.Of).Concat(Buffers);

    /// <summary>The tensors in a weights file that are not parameters, such as running statistics. A training pass may change them.</summary>
    internal virtual IEnumerable<StoredTensor> Buffers => [];

    /// <summary>The full name of a tensor of this layer in a model file, such as “0.weight”.</summary>
    internal string NameOf(string name) => Place is "" ? name : $"{Place}.{name}";

    /// <summary>Multiply-adds of the forward pass of one image, for convolutions and linear layers; 0 for other layers.</summary>
    internal virtual long MultiplyAdds(ImageShape input) => 0;

    /// <summary>Draws the initial values of the parameters, as PyTorch's constructor does.</summary>
    internal virtual void Initialize(TorchGenerator generator)
    {
        foreach (Parameter parameter in Parameters)
            parameter.Draw(generator);
    }

    /// <summary>Draws the initial values of the parameters that have no values yet, as <see cref="Initialize(int)"/> with the model's seed does.</summary>
    internal void DrawFirstValues()
    {
        lock (drawing)                                       // predictors on several threads may need them at the same time
        {
            TorchGenerator generator = new(Session.Seed);
            foreach (Parameter parameter in Parameters)
                parameter.DrawIfOpen(generator);
        }
    }

    /// <summary>Sets the position of the layer in a model.</summary>
    internal virtual void PutAt(string place, Layer model)
    {
        (Place, Model) = (place, model);
        foreach (Parameter parameter in Parameters)
            parameter.LookAgain();
    }

    /// <summary>Margin of zeros around x with which Forward needs no copy of x.</summary>
    internal virtual Padding InputMargin(ImageShape input) => default;

    /// <summary>Margin of zeros around dy with which Backward needs no copy of dy.</summary>
    internal virtual Padding GradientMargin(ImageShape input) => default;

    /// <summary>Computes y = f(x) for all images. y is overwritten.</summary>
    internal abstract void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>
    /// Computes dx = dy · ∂y/∂x, which is overwritten, if dx is not null, and adds to the gradients of the parameters. x, y and context are those of the
    /// forward pass.
    /// </summary>
    internal abstract void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
        where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>Returns whether the layer runs in training mode in this pass, and stores it in context.Trained for the backward pass.</summary>
    private protected bool Trains<T>(LayerContext<T> context) where T : unmanaged => context.Trained = context.Training && !HoldInEvaluation;

    /// <summary>Throws an ArgumentException that names the layer.</summary>
    [DoesNotReturn]
    internal void Refuse(string why) => throw new ArgumentException($"{Description}: {why}");

    void SetFrozen(bool frozen, bool hold)
    {
        foreach (Parameter parameter in Parameters)
            parameter.Trainable = !frozen;
        HoldInEvaluation = hold;
    }

    /// <summary>Output shape of a sliding window. Throws an exception that names the layer if the window does not fit the image.</summary>
    private protected ImageShape Slide(Window2d window, ImageShape input, int channels)
    {
        RequireImage(input);
        Size2d size;
        try
        {
            size = window.OutputSize(input.Height, input.Width);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"{Description}: {e.Message}", e);
        }
        return Output(channels, size.Height, size.Width);
    }

    /// <summary>Throws an exception that names the layer if the input is a number of features.</summary>
    private protected void RequireImage(ImageShape input)
    {
        if (input.IsFlat)
            Refuse($"takes images, not {input}");
    }

    /// <summary>Shape of an output image. Throws an exception that names the layer if the image has more elements than an array can hold.</summary>
    private protected ImageShape Output(long channels, long height, long width)
    {
        if ((double)channels * height * width > Array.MaxLength)
            Refuse($"an output of {channels}×{height}×{width} has more elements than an array can hold");
        return new((int)channels, (int)height, (int)width);
    }
}
