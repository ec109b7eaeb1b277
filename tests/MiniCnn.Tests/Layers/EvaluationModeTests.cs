using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>Evaluation, training and differentiation are separate: what each one requires, keeps and changes.</summary>
public sealed class EvaluationModeTests
{
    static Sequential Net() => new(
        new Conv2d(2, 3, (3, 2)), new BatchNorm2d(3), new ReLU(), new Dropout(0.5), new Conv2d(3, 4, (2, 3)), new ReLU(), new MaxPool2d(2), new Probe(),
        new Flatten(), new Linear(8, 2));

    static Tensor<float> Images(int count, int seed = 1) => new Random(seed).Tensor(count, 2, 5, 8);

    static Tensor<float> Gradient(int count) => new Random(7).Tensor(count, 2);

    /// <summary>A network with running statistics that are not the initial ones.</summary>
    static Sequential Trained()
    {
        Sequential net = Net();
        net.Initialize(1);
        net.Forward(Images(9), training: true);
        return net;
    }

    [Fact]
    public void The_gradient_in_evaluation_is_to_be_asked_for_and_taken_once()
    {
        Sequential net = Trained();
        net.Forward(Images(3));
        Refused();
        net.Forward(Images(3), differentiable: true);
        net.BackwardToInput(Gradient(3));
        Refused();
        net.Forward(Images(3), differentiable: true);
        net.Forward(Images(3));
        Refused();

        void Refused() => Assert.Equal(
            "Sequential(10 layers): Backward needs a Forward with training: true or differentiable: true before it, and each Forward serves only one Backward",
            Assert.Throws<InvalidOperationException>(() => net.Backward(Gradient(3))).Message);
    }

    /// <summary>Statistics, seeds and steps are unchanged, so training afterwards is bit-identical.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(17)]
    public void A_gradient_in_evaluation_is_one_of_what_evaluation_computes_and_leaves_no_trace(int count)
    {
        Sequential net = Trained(), twin = Trained();
        Assert.Equal(twin.Forward(Images(count)).AsSpan().ToArray(), net.Forward(Images(count), differentiable: true).AsSpan().ToArray());
        net.BackwardToInput(Gradient(count));
        net.ClearGradients();
        Assert.Equal(Everything(twin), Everything(net));
        Assert.Equal(Step(twin), Step(net));
        Assert.Equal(Everything(twin), Everything(net));

        static float[] Step(Sequential net) => [.. net.Forward(Images(9), training: true).AsSpan(), .. net.BackwardToInput(Gradient(9)).AsSpan()];
    }

    static float[] Everything(Layer net) =>
    [
        net.Session.Step, .. net.Values, .. net.Gradients,
        .. net.Stored.Where(tensor => tensor.Form == "I64 []").Select(tensor => (float)tensor.Save().As<long>()[0]),
        .. net.Stored.Where(tensor => tensor.Form[0] == 'F').SelectMany(tensor => tensor.Save().As<float>().ToArray()),
    ];

    [Fact]
    public void Held_layers_compute_in_training_what_they_compute_in_evaluation_backward_too()
    {
        (Sequential held, Sequential evaluated) = (Trained(), Trained());
        held.HoldInEvaluation = true;
        foreach (int count in (int[])[1, 9, 17])
        {
            Assert.Equal(
                evaluated.Forward(Images(count), differentiable: true).AsSpan().ToArray(), held.Forward(Images(count), training: true).AsSpan().ToArray());
            Assert.Equal(evaluated.BackwardToInput(Gradient(count)).AsSpan().ToArray(), held.BackwardToInput(Gradient(count)).AsSpan().ToArray());
        }
        Assert.Equal(Everything(evaluated)[1..], Everything(held)[1..]);
        Assert.Equal(3, held.Session.Step - evaluated.Session.Step);                        // they were training steps
    }

    [Fact]
    public void The_rest_goes_on_as_in_training()
    {
        Sequential net = Trained(), twin = Trained();
        ((BatchNorm2d)net.Layers[1]).HoldInEvaluation = true;
        Assert.False(net.HoldInEvaluation);
        float[] y = net.Forward(Images(9), training: true).AsSpan().ToArray();
        Assert.Equal(1, ((BatchNorm2d)net.Layers[1]).BatchesTracked);
        Tensor<float> step = twin.Layers[1].Forward(twin.Layers[0].Forward(Images(9)));
        Sequential rest = new(new Identity(), new Identity(), new ReLU(), new Dropout(0.5));   // a mask hangs on seed, step and place
        rest.Session.Resume(seed: 1, step: 1);
        step = rest.Forward(step, training: true);
        Assert.Contains(0, step.AsSpan().ToArray());
        foreach (Layer layer in twin.Layers.Skip(4))
            step = layer.Forward(step);
        Assert.Equal(step.AsSpan().ToArray(), y);
    }

    [Fact]
    public void One_value_a_channel_is_enough_for_held_statistics()
    {
        BatchNorm2d norm = new(2) { HoldInEvaluation = true };
        norm.Forward(Tensor.Create<float>([1, 2], [1, 2, 1, 1]), training: true);
        Assert.Equal(0, norm.BatchesTracked);
    }

    /// <summary>Multiplication by a constant scale does not spread NaN or infinity, as in PyTorch.</summary>
    [Fact]
    public void An_infinite_x_has_a_finite_gradient_in_evaluation()
    {
        BatchNorm2d norm = new(1);
        foreach (int count in (int[])[1, 16])
        {
            Tensor<float> x = new Random(1).Tensor(count, 1, 3, 11), dy = new Random(2).Tensor(x.Lengths);
            (x.AsSpan()[1], x.AsSpan()[32]) = (float.PositiveInfinity, float.NaN);
            norm.Forward(x, differentiable: true);
            Assert.Equal([.. dy.AsSpan().ToArray().Select(g => g * (float)(1 / Math.Sqrt(1 + 1e-5)))], norm.BackwardToInput(dy).AsSpan().ToArray());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Backward_is_of_the_Forward_that_was_whatever_is_held_since(bool held)
    {
        Sequential net = new(new BatchNorm2d(2), new Dropout(0.5), new Flatten(), new Linear(80, 2)), twin = new(new BatchNorm2d(2), new Dropout(0.5), new Flatten(), new Linear(80, 2));
        net.HoldInEvaluation = twin.HoldInEvaluation = held;
        net.Forward(Images(9), training: true);
        twin.Forward(Images(9), training: true);
        net.HoldInEvaluation = !held;
        Assert.Equal(twin.BackwardToInput(Gradient(9)).AsSpan().ToArray(), net.BackwardToInput(Gradient(9)).AsSpan().ToArray());
    }

    [Fact]
    public void A_layer_of_ones_own_is_told_that_it_is_held()
    {
        Told told = new();
        Sequential net = new(told);
        Tensor<float> x = Tensor.Create<float>([1], [1, 1]);
        Assert.True(Trains());
        net.HoldInEvaluation = true;
        Assert.False(Trains());

        bool Trains()
        {
            net.Forward(x, training: true);
            return told.Training;
        }
    }

    sealed class Told : CustomLayer
    {
        public bool Training { get; private set; }

        public override ImageShape OutputShape(ImageShape input) => input;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training)
        {
            Training = training;
            return x;
        }

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => dy;
    }

    [Fact]
    public void Freezing_reaches_every_layer_inside_and_none_that_comes_later()
    {
        BatchNorm2d norm = new(2), shortcut = new(2);
        Sequential net = new(
            new Residual(new Sequential(new Conv2d(2, 2, 3, padding: 1), norm), shortcut), new ReLU(), new Dropout(), new Flatten(), new Linear(80, 3));
        net.Freeze();
        Assert.True(net.HoldInEvaluation && norm.HoldInEvaluation && shortcut.HoldInEvaluation && net.Layers[2].HoldInEvaluation);
        Assert.All(net.Parameters, p => Assert.False(p.Trainable));
        Sequential head = new(new Dropout(), new Linear(80, 2));
        net.Replace(^1, head);
        Assert.False(net.HoldInEvaluation || head.HoldInEvaluation || head.Layers[0].HoldInEvaluation);
        Assert.Equal(["4.1.weight", "4.1.bias"], net.Parameters.Where(p => p.Trainable).Select(p => p.Name));
        Assert.Contains("of them frozen; layers held in evaluation: 3\n", net.Summary(new(2, 5, 8)), StringComparison.Ordinal);
        net.Freeze(holdInEvaluation: false);
        Assert.True(!norm.HoldInEvaluation && !shortcut.HoldInEvaluation && net.Parameters.All(p => !p.Trainable));
        net.HoldInEvaluation = true;
        net.Unfreeze();
        Assert.True(!net.HoldInEvaluation && !norm.HoldInEvaluation && net.Parameters.All(p => p.Trainable));
        norm.HoldInEvaluation = true;
        Assert.True(net.Parameters.All(p => p.Trainable));
    }

    [Fact]
    public void A_frozen_backbone_stays_to_the_bit_while_its_head_learns()
    {
        Sequential net = Trained();
        net.Freeze();
        net.Replace(^1, new Linear(8, 2));
        byte[][] before = net.State;
        Sgd optimizer = new(net.Parameters, learningRate: 0.1f, momentum: 0.9f, weightDecay: 0.1f);
        for (int step = 0; step < 3; step++)
        {
            net.Forward(Images(9, step), training: true);
            net.Backward(Gradient(9));
            optimizer.Step();
            optimizer.ZeroGrad();
        }
        byte[][] after = net.State;
        for (int i = 0; i < after.Length; i++)
            Assert.Equal(i < after.Length - 2, before[i].SequenceEqual(after[i]));          // weights, statistics and their count; then the head's
    }

    /// <summary>No gradients are computed for frozen layers at the front. The other gradients are bit-identical.</summary>
    [Fact]
    public void Backward_ends_at_the_first_layer_that_learns()
    {
        Counting first = new(), second = new();
        Sequential Of(Layer a, Layer b) => new(
            a, new Conv2d(2, 3, 3, padding: 1), b, new Sequential(new Conv2d(3, 3, (2, 3)), new ReLU(), new Conv2d(3, 2, 3, padding: 1)), new Flatten(), new Linear(48, 2));
        (Sequential net, Sequential whole) = (Of(first, second), Of(new Counting(), new Counting()));
        Layer inner = ((Sequential)net.Layers[3]).Layers[2];
        foreach (Parameter p in net.Parameters.TakeWhile(p => p != inner.Parameters[0]))
            p.Trainable = false;
        Run(net);
        Run(whole);
        Assert.Equal((0, 0), (first.Calls, second.Calls));
        foreach ((Parameter expected, Parameter p) in whole.Parameters.Zip(net.Parameters))
            Assert.Equal(p.Trainable ? expected.Gradient.AsSpan().ToArray() : new float[p.Gradient.FlattenedLength], p.Gradient.AsSpan().ToArray());
        net.Layers[1].Parameters[1].Trainable = true;
        Run(net);
        Assert.Equal((0, 1), (first.Calls, second.Calls));
        net.Forward(Images(17), training: true);
        net.BackwardToInput(Gradient(17));                                                  // x's gradient is wanted
        Assert.Equal((1, 2), (first.Calls, second.Calls));

        static void Run(Sequential net)
        {
            net.Forward(Images(17), training: true);
            net.Backward(Gradient(17));
        }
    }

    /// <summary>y = x. Counts the backward passes.</summary>
    sealed class Counting : CustomLayer
    {
        public int Calls { get; private set; }

        public override ImageShape OutputShape(ImageShape input) => input;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training) => x;

        protected override Tensor<float> BackwardCore(Tensor<float> dy)
        {
            Calls++;
            return dy;
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(20)]
    public void Once_warm_gradients_in_evaluation_allocate_nothing(int count)
    {
        Sequential net = new(
            new Conv2d(2, 3, 3), new BatchNorm2d(3), new ReLU(), new Dropout(), new Conv2d(3, 4, 2), new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(8, 2));
        (Tensor<float> x, Tensor<float> y, Tensor<float> dx, Tensor<float> dy) =
            (Images(count), Tensor.CreateFromShape<float>([count, 2]), Tensor.CreateFromShape<float>([count, 2, 5, 8]), Gradient(count));
        foreach (bool training in (bool[])[false, true])
        {
            net.HoldInEvaluation = training;
            Run();
            Assert.Equal(0, Allocated.Bytes(() =>
            {
                for (int i = 0; i < 20; i++)
                    Run();
            }));

            void Run()
            {
                net.Forward(x, training, y, differentiable: true);
                net.BackwardToInput(dy, dx);
            }
        }
    }
}
