namespace MiniCnn.Tests;

/// <summary>SGD with frozen, long and invalid parameters. OptimizerTests compares its formula.</summary>
public class SgdTests
{
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
