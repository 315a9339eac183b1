using System.Net;
using FastListener.Intake;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Intake;

public class TokenGuessesTests
{
    private static readonly IPAddress Guesser = IPAddress.Parse("192.0.2.1");
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void The_first_twenty_in_a_minute_are_free_and_each_further_one_waits_longer_up_to_two_seconds()
    {
        var guesses = new TokenGuesses(_time);
        Assert.All(Enumerable.Range(0, 20), _ => Assert.True(Count(guesses, Guesser).IsCompleted));
        AssertHeld(guesses, Guesser, TimeSpan.FromMilliseconds(50));
        AssertHeld(guesses, Guesser, TimeSpan.FromMilliseconds(100));
        for (var guess = 22; guess < 200; guess++)
        {
            _ = Count(guesses, Guesser);
        }

        AssertHeld(guesses, Guesser, TimeSpan.FromSeconds(2));
        Assert.Equal(201, guesses.Wrong);
    }

    [Fact]
    public void Other_senders_do_not_wait_for_him_and_a_network_of_IPv6_is_one_sender()
    {
        var guesses = new TokenGuesses(_time);
        for (var guess = 0; guess < 40; guess++)
        {
            _ = Count(guesses, Guesser);
            _ = Count(guesses, IPAddress.Parse($"2001:db8:0:1::{guess:x}"));
        }

        Assert.False(Count(guesses, IPAddress.Parse("2001:db8:0:1:ffff::1")).IsCompleted);
        var others = Enumerable.Range(2, 100).Count(last => Count(guesses, IPAddress.Parse($"192.0.2.{last}")).IsCompleted);
        Assert.InRange(others, 95, 100); // a few may share his slot
        Assert.True(Count(guesses, null).IsCompleted);
    }

    [Fact]
    public void A_new_minute_forgets_half_and_two_forget_all()
    {
        var guesses = new TokenGuesses(_time);
        for (var guess = 0; guess < 60; guess++)
        {
            _ = Count(guesses, Guesser);
        }

        _time.Advance(TimeSpan.FromMinutes(1));
        AssertHeld(guesses, Guesser, TimeSpan.FromMilliseconds(50 * 11)); // 30 of before, and this one
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.True(Count(guesses, Guesser).IsCompleted);
    }

    [Fact]
    public void Beyond_a_few_hundred_nobody_is_held_so_that_guessers_cost_no_memory()
    {
        var guesses = new TokenGuesses(_time);
        var held = Enumerable.Range(0, 2000).Select(_ => Count(guesses, Guesser)).Count(guess => !guess.IsCompleted);
        Assert.Equal(512, held);
    }

    private static Task Count(TokenGuesses guesses, IPAddress? sender) => guesses.CountAsync(sender).AsTask();

    private void AssertHeld(TokenGuesses guesses, IPAddress sender, TimeSpan delay)
    {
        var counted = Count(guesses, sender);
        _time.Advance(delay - TimeSpan.FromMilliseconds(1));
        Assert.False(counted.IsCompleted, $"It was answered before {delay}.");
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(counted.IsCompleted, $"It was held for more than {delay}.");
    }
}
