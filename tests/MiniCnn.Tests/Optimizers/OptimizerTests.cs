using MiniCnn.Cases;
using static MiniCnn.Tests.Rounded;

namespace MiniCnn.Tests;

/// <summary>Compares optimizers and gradient clipping with their formulas.</summary>
[Collection("Workers")]                                               // one of these tests turns Workers.Count
public sealed class OptimizerTests
{
    /// <summary>Each number differs from the formula by rounding errors only: see <see cref="Rounded"/>.</summary>
    [Fact]
    public void Ten_steps_of_each_optimizer_of_the_table_are_its_formula()
    {
        foreach (OptimizerCase c in CaseTable.All.OfType<OptimizerCase>())
        {
            Numbers inputs = c.Inputs(), results = c.Float(inputs);
            foreach (string name in (string[])["weight", "bias"])
            {
                Rounded[][] states = Array.ConvertAll(inputs.Floats(name), value => (Rounded[])[value, 0f, 0f]);
                for (int step = 0; step < OptimizerCase.Steps; step++)
                {
                    float[] gradient = inputs.Floats($"{step}.d{name}"), ours = results.Floats($"{step}.{name}");
                    for (int i = 0; i < states.Length; i++)
                    {
                        states[i] = c is SgdCase s ? Sgd(s, step, states[i], gradient[i]) : Adam((AdamCase)c, step, states[i], gradient[i], name == "bias");
                        states[i][0].AssertIs($"{c}, step {step}: {name}[{i}]", ours[i]);
                    }
                }
            }
        }
    }

    /// <summary>The parameter and its velocity after a step.</summary>
    static Rounded[] Sgd(SgdCase c, int step, Rounded[] state, Rounded g)
    {
        (Rounded p, Rounded v) = (state[0], state[1]);
        if (c.WeightDecay != 0)
            g += p * c.WeightDecay;
        v = c.Momentum == 0 || step == 0 ? g : v * c.Momentum + g * (1 - c.Dampening);
        return [p - (c.Nesterov ? g + v * c.Momentum : v) * Rate(SgdCase.LearningRate, step), v, 0f];
    }

    /// <summary>The parameter and its two moments after a step.</summary>
    static Rounded[] Adam(AdamCase c, int step, Rounded[] state, Rounded g, bool isBias)
    {
        (Rounded p, Rounded m, Rounded v) = (state[0], state[1], state[2]);
        double rate = Rate(c.LearningRate, step), decay = c.Groups && isBias ? 0 : c.WeightDecay;
        if (c.Decoupled)
            p *= 1 - rate * decay;
        else if (decay != 0)
            g += p * decay;
        m = m * c.Beta1 + g * (1 - c.Beta1);
        v = v * c.Beta2 + g * (1 - c.Beta2) * g;
        Rounded scale = Rounded.Sqrt(v) / Math.Sqrt(1 - Math.Pow(c.Beta2, step + 1)) + c.Epsilon;
        return [p - m * (rate / (1 - Math.Pow(c.Beta1, step + 1))) / scale, m, v];
    }

    static double Rate(double first, int step) => step < OptimizerCase.Halved ? first : first / 2;

    [Fact]
    public void Weights_have_two_axes_or_more_and_biases_and_norms_one()
    {
        Sequential model = new(new Conv2d(1, 2, 3), new BatchNorm2d(2), new Flatten(), new Linear(8, 3));
        Assert.Equal(["0.weight", "3.weight"], model.Parameters.Where(p => p.Value.Rank > 1).Select(p => p.Name));
        Assert.All(model.Parameters, p => Assert.True(p.Value.Rank >= 1));
    }

    [Fact]
    public void Long_parameters_move_by_Adams_formula_to_the_bit()
    {
        const int Length = 16384 * 2 + 16 + 5;                                // pieces, a last vector, and a rest
        foreach (bool decoupled in (bool[])[false, true])
        {
            Parameter parameter = new Linear(Length, 1, bias: false).Weight;
            Optimizer optimizer = decoupled ? new AdamW([parameter], 0.02f, 0.8, 0.95, 0.01, 0.5) : new Adam([parameter], 0.02f, 0.8, 0.95, 0.01, 0.5);
            Random random = new(6);
            float[] p = random.Reals(Length), m = new float[Length], v = new float[Length];
            p.CopyTo(parameter.ValueAs<float>());
            for (int t = 1; t <= 3; t++)
            {
                float[] gradient = random.Reals(Length);
                gradient.CopyTo(parameter.GradientAs<float>());
                optimizer.Step();
                float size = (float)(0.02f / (1 - Math.Pow(0.8, t))), correction = (float)Math.Sqrt(1 - Math.Pow(0.95, t));
                for (int i = 0; i < Length; i++)
                {
                    p[i] *= decoupled ? (float)(1 - 0.02f * 0.5) : 1;
                    float g = gradient[i] + (decoupled ? 0 : p[i] * 0.5f);
                    m[i] = m[i] * 0.8f + g * (float)(1 - 0.8);
                    v[i] = v[i] * 0.95f + g * (float)(1 - 0.95) * g;
                    p[i] -= m[i] * size / (MathF.Sqrt(v[i]) / correction + 0.01f);
                }
                Assert.Equal(p, parameter.ValueAs<float>());
            }
        }
    }

    [Fact]
    public void A_frozen_parameter_stays_and_begins_when_it_is_freed()
    {
        Parameter p = new Linear(1, 1, bias: false).Weight;
        p.Value[0, 0] = 8;
        p.Gradient[0, 0] = 3;
        AdamW optimizer = new([p], 0.5f, epsilon: 0, weightDecay: 0.5);
        p.Trainable = false;
        optimizer.Step();
        Assert.Equal(8, p.Value[0, 0]);
        p.Trainable = true;
        optimizer.Step();
        // 8 · (1 − 1/4) − 1/2: the first step is as long as the rate, up to ten roundings; the subtraction's is of 5.5.
        Assert.Equal(5.5, p.Value[0, 0], (10 * 0.5 + 5.5) * Epsilon);
    }

    [Theory]
    [InlineData(-1, 0.9, 0.999, 0, 0)]
    [InlineData(float.NaN, 0.9, 0.999, 0, 0)]
    [InlineData(1, 1, 0.999, 0, 0)]
    [InlineData(1, -0.1, 0.999, 0, 0)]
    [InlineData(1, 0.9, 1, 0, 0)]
    [InlineData(1, 0.9, double.NaN, 0, 0)]
    [InlineData(1, 0.9, 0.999, -1, 0)]
    [InlineData(1, 0.9, 0.999, 0, -1)]
    public void Numbers_that_make_no_sense_are_refused(float rate, double beta1, double beta2, double epsilon, double decay)
    {
        Assert.Throws<ArgumentException>(() => new Adam([], rate, beta1, beta2, epsilon, decay));
        Assert.Throws<ArgumentException>(() => new AdamW([], rate, beta1, beta2, epsilon, decay));
    }

    [Fact]
    public void A_step_with_clipping_allocates_nothing()
    {
        Parameter[] parameters = [.. new Linear(9, 4).Parameters];
        Adam optimizer = new(parameters);
        Assert.Equal(0, Allocated.Bytes(() =>
        {
            for (int step = 0; step < 100; step++)
            {
                parameters[0].Gradient[0, 0] = 5;
                GradientClipping.ClipNorm(parameters, 1);
                optimizer.LearningRate = LearningRate.OneCycle(step, 100, 0.01);
                optimizer.Step();
                optimizer.ZeroGrad();
            }
        }));
    }

    [Fact]
    public void A_long_gradient_is_clipped_to_the_same_bits_by_any_number_of_threads_and_a_frozen_one_is_left_out()
    {
        Parameter parameter = new Linear(16384 * 5 + 77, 1, bias: false).Weight, frozen = new Linear(2, 1, bias: false).Weight;
        float[] gradient = new Random(3).Reals((int)parameter.Value.FlattenedLength);
        double norm = Math.Sqrt(gradient.Sum(g => (double)g * g));
        frozen.Trainable = false;
        frozen.Gradient[0, 0] = 1000;
        (float Norm, float[] Gradient)[] results = [.. new[] { 1, 2 }.Select(threads => Threads.Of(threads, () =>
        {
            gradient.CopyTo(parameter.GradientAs<float>());
            return (GradientClipping.ClipNorm([parameter, frozen], 2), parameter.GradientAs<float>().ToArray());
        }))];
        Assert.All(results, result => Assert.Equal(results[0].Norm, result.Norm));
        Assert.All(results, result => Assert.Equal(results[0].Gradient, result.Gradient));
        // A square is rounded once, then at most 256 + 6 additions in float, positive all, and the root halves what that makes.
        Assert.Equal(norm, results[0].Norm, norm * (264 / 2 + 1) * Epsilon);
        // The norm + 10⁻⁶, the quotient and the product round, too.
        for (int i = 0; i < gradient.Length; i++)
            Assert.Equal(gradient[i] * 2 / (norm + 1e-6), results[0].Gradient[i], Math.Abs(gradient[i]) * 2 / norm * (264 / 2 + 4) * Epsilon);
        Assert.Equal(1000, frozen.Gradient[0, 0]);
    }

    [Fact]
    public void Clipping_with_an_infinite_norm_only_measures_and_a_senseless_one_is_refused()
    {
        Parameter p = new Linear(2, 1, bias: false).Weight;
        (p.Gradient[0, 0], p.Gradient[0, 1]) = (3, 4);
        Assert.Equal(5, GradientClipping.ClipNorm([p], float.PositiveInfinity));
        Assert.Equal([3f, 4], p.GradientAs<float>());
        Assert.Equal(0, GradientClipping.ClipNorm([], 1));
        Assert.Throws<ArgumentException>(() => GradientClipping.ClipNorm([p], -1));
        Assert.Throws<ArgumentException>(() => GradientClipping.ClipNorm([p], float.NaN));
        Assert.Throws<ArgumentNullException>(() => GradientClipping.ClipNorm(null!, 1));
    }
}
