namespace MiniCnn.Tests;

/// <summary>The optimizer's formula on one number, worked by hand; powers of two, so that nothing rounds.</summary>
public class SgdTests
{
    // p = 8, learning rate 1/2, gradients 4, 2, 1.
    [Theory]
    [InlineData(0, 0, 0, false, new[] { 6, 5, 4.5f })]
    [InlineData(0.5f, 0, 0, false, new[] { 6, 4, 2.5f })]                     // v = 4, 4, 3
    [InlineData(0.5f, 0.25f, 0, false, new[] { 6, 4.25f, 3 })]                // v = 4, 2 + 3/4 · 2, 7/4 + 3/4 · 1: the first step is not dampened
    [InlineData(0.5f, 0, 0, true, new[] { 5, 3, 1.75f })]                     // g + v/2 = 6, 4, 5/2
    [InlineData(0, 0, 0.25f, false, new[] { 5, 3.375f, 2.453125f })]          // g = 4 + 8/4, 2 + 5/4, 1 + 27/32
    [InlineData(0.5f, 0, 0.25f, false, new[] { 5, 1.875f, -0.421875f })]      // v = 6, 25/4, 147/32: the decay goes through the momentum
    public void Steps_are_PyTorchs(float momentum, float dampening, float weightDecay, bool nesterov, float[] expected)
    {
        (Parameter p, Sgd optimizer) = Make(momentum, dampening, weightDecay, nesterov);
        Assert.Equal(expected, new[] { 4f, 2, 1 }.Select(g => Step(optimizer, p, g)));
    }

    [Fact]
    public void The_learning_rate_is_not_folded_into_the_velocity()
    {
        (Parameter p, Sgd optimizer) = Make(momentum: 0.5f);
        Step(optimizer, p, 4);
        optimizer.LearningRate = 0.25f;
        Assert.Equal(5, Step(optimizer, p, 2));                               // 6 − (4/2 + 2) / 4
    }

    [Fact]
    public void A_frozen_parameter_stays_and_begins_when_it_is_freed()
    {
        (Parameter p, Sgd optimizer) = Make(momentum: 0.5f, dampening: 0.25f, weightDecay: 0.25f);
        p.Trainable = false;
        Assert.Equal(8, Step(optimizer, p, 4));
        p.Trainable = true;
        Assert.Equal(5, Step(optimizer, p, 4));                               // its first step: v = g
    }

    [Fact]
    public void ZeroGrad_clears_the_gradients_and_nothing_else()
    {
        (Parameter p, Sgd optimizer) = Make();
        p.Gradient[0, 0] = 4;
        optimizer.ZeroGrad();
        Assert.Equal((0, 8), (p.Gradient[0, 0], p.Value[0, 0]));
    }

    [Fact]
    public void Long_parameters_move_by_the_same_formula_to_the_bit()
    {
        const int Length = 16384 * 2 + 16 + 5;                                // pieces, a last vector, and a rest
        foreach ((float momentum, float dampening, float decay, bool nesterov) in
            ((float, float, float, bool)[])[(0, 0, 0, false), (0, 0, 0.1f, false), (0.9f, 0.3f, 0, false), (0.9f, 0.3f, 0.1f, false), (0.9f, 0, 0.1f, true)])
        {
            Parameter parameter = new Linear(Length, 1, bias: false).Weight;
            Sgd optimizer = new([parameter], 0.05f, momentum, dampening, decay, nesterov);
            Random random = new(6);
            float[] p = random.Reals(Length), v = new float[Length];
            p.CopyTo(parameter.ValueAs<float>());
            for (int step = 0; step < 3; step++)
            {
                float[] gradient = random.Reals(Length);
                gradient.CopyTo(parameter.GradientAs<float>());
                optimizer.Step();
                for (int i = 0; i < Length; i++)
                {
                    float decayed = p[i] * decay, g = gradient[i] + decayed, kept = v[i] * momentum, added = g * (1 - dampening);
                    v[i] = step == 0 ? g : kept + added;
                    float ahead = v[i] * momentum, direction = momentum == 0 ? g : nesterov ? g + ahead : v[i], moved = direction * 0.05f;
                    p[i] -= moved;
                }
                Assert.Equal(p, parameter.ValueAs<float>());
            }
            optimizer.ZeroGrad();
            Assert.Equal(new float[Length], parameter.GradientAs<float>());
        }
    }

    [Theory]
    [InlineData(-1, 0, 0, 0, false)]
    [InlineData(float.NaN, 0, 0, 0, false)]
    [InlineData(1, -1, 0, 0, false)]
    [InlineData(1, 0, 0, -1, false)]
    [InlineData(1, 0, 0, 0, true)]
    [InlineData(1, 0.9f, 0.1f, 0, true)]
    public void Numbers_that_make_no_sense_are_refused(float learningRate, float momentum, float dampening, float weightDecay, bool nesterov) =>
        Assert.Throws<ArgumentException>(() => new Sgd([], learningRate, momentum, dampening, weightDecay, nesterov));

    static (Parameter, Sgd) Make(float momentum = 0, float dampening = 0, float weightDecay = 0, bool nesterov = false)
    {
        Parameter p = new Linear(1, 1, bias: false).Weight;
        p.Value[0, 0] = 8;
        return (p, new([p], 0.5f, momentum, dampening, weightDecay, nesterov));
    }

    static float Step(Sgd optimizer, Parameter p, float gradient)
    {
        p.Gradient[0, 0] = gradient;
        optimizer.Step();
        return p.Value[0, 0];
    }
}
