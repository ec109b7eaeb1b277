using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>What all layers share: the order of calls, names, buffers and errors.</summary>
public class LayerTests
{
    static Sequential LeNet() => new(
        new Conv2d(1, 4, (3, 5), padding: (1, 2)), new ReLU(), new MaxPool2d(2), new Conv2d(4, 6, (3, 2)), new ReLU(), new Flatten(), new Linear(6 * 3 * 5, 10));

    static Tensor<float> Images(int count, int seed = 0, int channels = 1, int height = 10, int width = 12) =>
        new Random(seed).Tensor(count, channels, height, width);

    [Fact]
    public void Backward_needs_a_training_forward_and_takes_it_once()
    {
        Sequential model = LeNet();
        Tensor<float> dy = new Random(1).Tensor(3, 10);
        Throws(() => model.Backward(dy));
        model.Forward(Images(3), training: true);
        model.Backward(dy);
        Throws(() => model.Backward(dy));
        model.Forward(Images(3), training: true);
        model.Forward(Images(3));
        Throws(() => model.Backward(dy));                              // the second Forward discarded the first

        void Throws(Action action) => Assert.Contains(
            "Sequential(7 layers): Backward needs a Forward with training: true", Assert.Throws<InvalidOperationException>(action).Message);
    }

    [Fact]
    public void Shapes_that_do_not_fit_name_the_layer_the_numbers_and_the_way_out()
    {
        Is("layer 3, Conv2d(4→6, 3×2): takes 4 channels, not 5 (of 5×5×6)",
            () => new Sequential(new Conv2d(1, 5, (3, 5), padding: (1, 2)), new ReLU(), new MaxPool2d(2), new Conv2d(4, 6, (3, 2))).Forward(Images(1)));
        Is("layer 1, Conv2d(4→8, 5×5, dilation 2): the kernel spans 9×9 but the padded input is 8×10; use padding ≥ 1 or a smaller dilation",
            () => new Sequential(new Conv2d(1, 4, 3), new Conv2d(4, 8, 5, dilation: 2)).Forward(Images(1)));
        Is("layer 1.0, Linear(12→10): takes 12 features, not images of 1×10×12; put a Flatten() before it",
            () => new Sequential(new ReLU(), new Sequential(new Linear(12, 10))).Forward(Images(1)));
        Is("Linear(12→10): takes 12 features, not 120", () => new Linear(12, 10).Forward(Tensor.Create(new float[120], [1, 120])));
        Is("Conv2d(3→4, 3×3): takes images, not 3 features", () => new Conv2d(3, 4, 3).Forward(Tensor.Create(new float[3], [1, 3])));
        Is("ReLU: expected a tensor [N, C, H, W] or [N, features], not a tensor with 3 axes", () => new ReLU().Forward(Tensor.Create(new float[6], [1, 2, 3])));
        Sequential model = LeNet();
        model.Forward(Images(3), training: true);
        Is("Sequential(7 layers): dy must have the shape of y, 3 × 10 features, not [2, 10]", () => model.Backward(Tensor.Create(new float[20], [2, 10])));

        static void Is(string message, Action action) => Assert.Equal(message, Assert.Throws<ArgumentException>(action).Message);
    }

    [Fact]
    public void A_layer_stands_in_one_place_and_its_parameters_have_PyTorchs_names()
    {
        Sequential model = LeNet();
        Assert.Equal(["0.weight", "0.bias", "3.weight", "3.bias", "6.weight", "6.bias"], model.Parameters.Select(p => p.Name));
        Assert.Equal("3.weight [6, 4, 3, 2]", model.Parameters[2].ToString());
        Sequential outer = new(new ReLU(), model);
        Assert.Equal("1.3.weight", outer.Parameters[2].Name);
        Assert.Contains("is already part of a model", Assert.Throws<ArgumentException>(() => new Sequential(model)).Message);
        ReLU twice = new();
        Assert.Contains("is already part of a model", Assert.Throws<ArgumentException>(() => new Sequential(twice, new ReLU(), twice)).Message);
        Assert.Throws<ArgumentException>(() => new Sequential());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(20)]
    public void Results_can_go_into_the_callers_tensors_and_then_nothing_is_allocated(int count)
    {
        Sequential model = LeNet(), other = LeNet();
        Tensor<float> x = Images(count, seed: 1), y = Tensor.CreateFromShape<float>([count, 10]), dx = Tensor.CreateFromShape<float>(x.Lengths);
        y.AsSpan().Fill(float.NaN);
        dx.AsSpan().Fill(float.NaN);
        Tensor<float> dy = new Random(2).Tensor(count, 10);
        Assert.Same(y, model.Forward(x, training: true, y));
        Assert.Same(dx, model.BackwardToInput(dy, dx));
        Assert.Equal(other.Forward(x, training: true).AsSpan().ToArray(), y.AsSpan().ToArray());
        Assert.Equal(other.BackwardToInput(dy).AsSpan().ToArray(), dx.AsSpan().ToArray());

        Assert.Equal(0, Allocated.Bytes(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                model.Forward(x, training: true, y);
                model.BackwardToInput(dy, dx);
            }
        }));

        foreach (nint[] shape in (nint[][])[[count, 11], [count + 1, 10], [count, 10, 1, 1], [10 * count]])
        {
            ArgumentException e = Assert.Throws<ArgumentException>(() => model.Forward(x, destination: Tensor.CreateFromShape<float>(shape)));
            Assert.Contains($"the destination must be a dense tensor [{count}, 10], not [{string.Join(", ", shape)}]", e.Message);
        }
        model.Forward(x, training: true);
        Assert.Throws<ArgumentException>(() => model.BackwardToInput(dy, y));
        model.BackwardToInput(dy, dx);                                 // a refused call has taken nothing
    }

    [Fact]
    public void Batches_may_grow_shrink_and_be_empty_and_images_may_change_their_size()
    {
        Sequential model = LeNet();
        foreach (int count in (int[])[3, 33, 16, 1, 0, 17])
        {
            Tensor<float> images = Images(count, seed: count), y = model.Forward(images, training: true);
            Assert.Equal([count, 10], y.Lengths.ToArray());
            for (int n = 0; n < count; n++)
            {
                // An image's output does not depend on the batch around it; only a few images are summed in another order than many.
                float[] image = images.AsSpan().Slice(n * 120, 120).ToArray(), output = y.AsSpan().Slice(n * 10, 10).ToArray();
                float[] alone = LeNetLike(model).Forward(Tensor.Create(image, [1, 1, 10, 12])).AsSpan().ToArray();
                float[] amongMany = LeNetLike(model).Forward(Tensor.Create([.. Enumerable.Repeat(image, 9).SelectMany(x => x)], [9, 1, 10, 12])).AsSpan()[..10].ToArray();
                Assert.Equal(LaneTensor<float>.LanesFor(count) == 1 ? alone : amongMany, output);
                Assert.All(alone.Zip(amongMany), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
            }
            // Nor do its gradients depend on the batch before it, larger or smaller.
            Assert.Equal(Gradients(LeNetLike(model), images), Gradients(model, images));
        }
        Sequential any = Any();
        foreach ((int height, int width) in new[] { (10, 12), (10, 7), (6, 7), (8, 18) })
        {
            Tensor<float> images = Images(2, height + width, 1, height, width), y = any.Forward(images);
            Assert.Equal([2, 2, height / 2, width / 2], y.Lengths.ToArray());
            Assert.Equal(Any().Forward(images).AsSpan().ToArray(), y.AsSpan().ToArray());
            Assert.Equal(Both(Any(), images), Both(any, images));
        }
        Sequential strided = Strided();
        foreach (int width in (int[])[8, 9])                              // dy of one size, with the zeros around it of two
            Assert.Equal(Both(Strided(), Images(2, 0, 1, 9, width)), Both(strided, Images(2, 0, 1, 9, width)));

        static Sequential Strided() => new(new Conv2d(1, 2, 2, stride: 2));

        static Sequential Any() => new(new Conv2d(1, 2, 3, padding: 1), new AvgPool2d(2));

        static float[] Both(Sequential model, Tensor<float> images)
        {
            Tensor<float> y = model.Forward(images, training: true);
            model.Parameters[0].Gradient.Clear();
            Tensor<float> dx = model.BackwardToInput(y);
            return [.. dx.AsSpan(), .. model.Parameters[0].Gradient.AsSpan()];
        }

        static float[] Gradients(Sequential model, Tensor<float> images)
        {
            model.ClearGradients();
            int count = (int)images.Lengths[0];
            model.Forward(images, training: true);
            model.Backward(new Random(2).Tensor(count, 10));
            return model.Gradients;
        }
    }

    static Sequential LeNetLike(Sequential other)
    {
        Sequential model = LeNet();
        foreach ((Parameter to, Parameter from) in model.Parameters.Zip(other.Parameters))
            from.ValueAs<float>().CopyTo(to.ValueAs<float>());
        return model;
    }

    [Fact]
    public void Sizes_that_no_array_holds_are_refused_before_memory_is_taken()
    {
        Is("the padded image would be 1073741824×1073741824", () => new Conv2d(1, 1, 3, stride: 1 << 29, padding: 536870898).Forward(Images(1, 0, 1, 28, 28)));
        Is("a weight of [100000, 100000, 5, 5] would hold 250000000000 numbers", () => new Conv2d(100_000, 100_000, 5));
        Is("a weight of [2000000000, 2000000000]", () => new Linear(2_000_000_000, 2_000_000_000));
        Is("spans 100000×100000 pixels", () => new Conv2d(1, 1, 100_000));
        Is("an output of 200000×110×112 has more elements", () => new Conv2d(1, 200_000, 1, padding: 50).Forward(Images(1)));
        Is(
            "ReLU: every size except the batch size must be at least 1, not [1, 1, 0, 5]",
            () => new ReLU().Forward(Tensor.CreateFromShape<float>([1, 1, 0, 5])));

        static void Is(string message, Func<object> action) => Assert.Contains(message, Assert.Throws<ArgumentException>(action).Message);
    }

    [Fact]
    public void A_model_that_cannot_be_built_leaves_its_layers_free()
    {
        ReLU layer = new();
        Assert.Throws<ArgumentException>(() => new Sequential(layer, null!));
        Assert.Throws<ArgumentException>(() => new Sequential(layer, layer));
        Assert.Single(new Sequential(layer).Layers);
    }

    [Fact]
    public void A_layer_of_ones_own_must_return_the_shape_it_said()
    {
        Tensor<float>? result = null;
        Returning layer = new(() => result!);
        Is("ForwardCore must return y of shape [2, 1, 10, 12], not null");
        result = Tensor.CreateFromShape<float>([2, 1, 12, 10]);           // H and W swapped: as many numbers
        Is("ForwardCore must return y of shape [2, 1, 10, 12], not [2, 1, 12, 10]");

        result = Images(2);
        Sequential model = new(new ReLU(), new Returning(() => result, gradient: Tensor.CreateFromShape<float>([2, 1, 12, 10])));
        model.Forward(Images(2), training: true);
        Assert.Contains(
            "layer 1, Returning: BackwardCore must return dx of shape [2, 1, 10, 12], not [2, 1, 12, 10]",
            Assert.Throws<ArgumentException>(() => model.BackwardToInput(Images(2))).Message);

        void Is(string message) => Assert.Contains(message, Assert.Throws<ArgumentException>(() => layer.Forward(Images(2))).Message);
    }

    sealed class Returning(Func<Tensor<float>> result, Tensor<float>? gradient = null) : CustomLayer
    {
        public override ImageShape OutputShape(ImageShape input) => input;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training) => result();

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => gradient ?? dy;

        public Parameter Add(string name, params nint[] shape) => AddParameter(name, shape);
    }

    [Fact]
    public void A_parameter_needs_a_name_of_its_own_and_a_shape()
    {
        Returning layer = new(() => throw new InvalidOperationException());
        layer.Add("scale", 1);
        Assert.Contains("name that no other parameter of the layer has, not 'scale'", Assert.Throws<ArgumentException>(() => layer.Add("scale", 2)).Message);
        Assert.Contains("needs a shape", Assert.Throws<ArgumentException>(() => layer.Add("shift")).Message);
    }

    [Fact]
    public void Gradients_add_up_over_passes_and_leave_frozen_parameters_alone()
    {
        Tensor<float> images = Images(5), dy = new Random(3).Tensor(5, 10);
        foreach (int[] frozen in (int[][])[[1, 2, 5], [0, 3, 4]])
        {
            Sequential model = LeNet();
            Pass(model);
            float[][] once = [.. model.Parameters.Select(p => p.Gradient.AsSpan().ToArray())];
            foreach (int i in frozen)
                model.Parameters[i].Trainable = false;
            Pass(model);
            for (int i = 0; i < once.Length; i++)
            {
                float times = frozen.Contains(i) ? 1 : 2;
                Assert.Contains(once[i], g => g != 0);
                Assert.All(model.Parameters[i].Gradient.AsSpan().ToArray().Zip(once[i]), p => Assert.Equal(p.Second * times, p.First, 1e-5f));
            }
        }

        void Pass(Sequential model)
        {
            model.Forward(images, training: true);
            model.Backward(dy);
        }
    }

    [Fact]
    public async Task A_layer_that_is_running_refuses_another_call()
    {
        using Barrier inside = new(2), done = new(2);
        Sequential model = new(new Waiting(inside, done));
        Task task = Task.Run(() => model.Forward(Images(1)));
        inside.SignalAndWait();
        Assert.Contains("running on another thread", Assert.Throws<InvalidOperationException>(() => model.Forward(Images(1))).Message);
        done.SignalAndWait();
        await task;
        Assert.Contains("layer 0, Waiting: ForwardCore must return y of shape [1, 1, 10, 12], not [1]",
            Assert.Throws<ArgumentException>(() => new Sequential(new Waiting(null, null)).Forward(Images(1))).Message);
    }

    sealed class Waiting(Barrier? inside, Barrier? done) : CustomLayer
    {
        public override ImageShape OutputShape(ImageShape input) => input;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training)
        {
            inside?.SignalAndWait();
            done?.SignalAndWait();
            return inside is null ? Tensor.Create(new float[1], [1]) : x;
        }

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => dy;
    }

    [Fact]
    public void A_layer_of_ones_own_fits_anywhere()
    {
        Sequential model = new(new Conv2d(1, 2, 3, padding: 1), new Doubling(), new Conv2d(2, 2, (3, 5), padding: (0, 2)), new Flatten(), new Linear(2 * 8 * 12, 3), new Doubling());
        Tensor<float> y = model.Forward(Images(18), training: true);
        Assert.Equal([18, 3], y.Lengths.ToArray());
        Tensor<float> dx = model.BackwardToInput(new Random(6).Tensor(18, 3));
        Assert.Equal([18, 1, 10, 12], dx.Lengths.ToArray());
        Assert.Equal("1.factor", model.Parameters[2].Name);
        Assert.Contains(model.Parameters[2].Gradient.AsSpan().ToArray(), g => g != 0);
    }

    /// <summary>y = factor · x.</summary>
    sealed class Doubling : CustomLayer
    {
        readonly Parameter factor;
        Tensor<float>? x;

        public Doubling()
        {
            factor = AddParameter("factor", 1);
            factor.Value[0] = 2;
        }

        public override ImageShape OutputShape(ImageShape input) => input;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training) => Tensor.Multiply<float>(this.x = x, factor.Value[0]);

        protected override Tensor<float> BackwardCore(Tensor<float> dy)
        {
            factor.Gradient[0] += Tensor.Dot<float>(x!, dy);
            return Tensor.Multiply<float>(dy, factor.Value[0]);
        }
    }
}
